internal import Glibc

/// n = tanh(Aₙ + r⊙Qₙ), h = (1−z)⊙n + z⊙h₋₁ for one sample and step; gates r, z, n down the rows, A = x·Wᵀ + b,
/// Q = h₋₁·Uᵀ + q (reset after the product).
enum OracleGRU {
    static func forward(_ parameters: OracleParameters, input: [Double], hidden: [Double]) -> OracleStep {
        var step = OracleStep(parameters, input: input, hidden: hidden, cell: [])
        for unit in hidden.indices {
            let (_, z, n) = gates(step, unit)
            step.hidden.append((1 - z) * n + z * hidden[unit])
        }
        return step
    }

    private static func gates(_ step: OracleStep, _ unit: Int) -> (r: Double, z: Double, n: Double) {
        let width = step.hiddenBefore.count
        let (a, q) = (step.inputPart, step.hiddenPart)
        let r = OracleAlgebra.sigmoid(a[unit] + q[unit])
        let z = OracleAlgebra.sigmoid(a[width + unit] + q[width + unit])
        return (r, z, tanh(a[2 * width + unit] + r * q[2 * width + unit]))
    }

    static func backward(
        _ step: OracleStep, _ parameters: OracleParameters, hiddenGradient: [Double],
        into gradients: inout OracleParameters
    ) -> OracleStepGradient {
        let width = hiddenGradient.count
        var inputPart = [Double](repeating: 0, count: 3 * width)
        var hiddenPart = inputPart
        var direct = [Double](repeating: 0, count: width)
        for unit in 0..<width {
            let (r, z, n) = gates(step, unit)
            let dh = hiddenGradient[unit]
            let dn = dh * (1 - z) * (1 - n * n)
            let dz = dh * (step.hiddenBefore[unit] - n) * (z * (1 - z))
            let dr = dn * step.hiddenPart[2 * width + unit] * (r * (1 - r))
            inputPart[unit] = dr
            inputPart[width + unit] = dz
            inputPart[2 * width + unit] = dn
            hiddenPart[unit] = dr
            hiddenPart[width + unit] = dz
            hiddenPart[2 * width + unit] = dn * r
            direct[unit] = dh * z
        }
        return OracleStepGradient(
            step, inputPart: inputPart, hiddenPart: hiddenPart, directHidden: direct, cell: [], parameters,
            into: &gradients)
    }
}
