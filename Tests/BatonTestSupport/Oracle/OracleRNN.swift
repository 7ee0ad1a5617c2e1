internal import Glibc

/// h = φ(x·Wᵀ + b + h₋₁·Uᵀ + q) for one sample and step, φ tanh or relu.
enum OracleRNN {
    static func forward(
        _ parameters: OracleParameters, relu: Bool, input: [Double], hidden: [Double]
    ) -> OracleStep {
        var step = OracleStep(parameters, input: input, hidden: hidden, cell: [])
        step.hidden = zip(step.inputPart, step.hiddenPart).map { a, q in relu ? max(0, a + q) : tanh(a + q) }
        return step
    }

    static func backward(
        _ step: OracleStep, _ parameters: OracleParameters, relu: Bool, hiddenGradient: [Double],
        into gradients: inout OracleParameters
    ) -> OracleStepGradient {
        let part = hiddenGradient.indices.map { unit in
            let h = step.hidden[unit]
            return hiddenGradient[unit] * (relu ? (h > 0 ? 1 : 0) : 1 - h * h)
        }
        return OracleStepGradient(
            step, inputPart: part, hiddenPart: part, directHidden: part.map { _ in 0 }, cell: [], parameters,
            into: &gradients)
    }
}
