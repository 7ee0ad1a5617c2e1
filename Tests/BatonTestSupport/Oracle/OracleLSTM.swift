internal import Glibc

/// c = f⊙c₋₁ + i⊙g, h = o⊙tanh c for one sample and step; gates i, f, g, o down the rows.
enum OracleLSTM {
    static func forward(
        _ parameters: OracleParameters, input: [Double], hidden: [Double], cell: [Double]
    ) -> OracleStep {
        var step = OracleStep(parameters, input: input, hidden: hidden, cell: cell)
        for unit in hidden.indices {
            let (i, f, g, o) = gates(step, unit)
            let c = f * cell[unit] + i * g
            step.cell.append(c)
            step.hidden.append(o * tanh(c))
        }
        return step
    }

    private static func gates(_ step: OracleStep, _ unit: Int) -> (i: Double, f: Double, g: Double, o: Double) {
        let width = step.hiddenBefore.count
        let a = (0..<4).map { step.inputPart[$0 * width + unit] + step.hiddenPart[$0 * width + unit] }
        return (
            OracleAlgebra.sigmoid(a[0]), OracleAlgebra.sigmoid(a[1]), tanh(a[2]), OracleAlgebra.sigmoid(a[3])
        )
    }

    static func backward(
        _ step: OracleStep, _ parameters: OracleParameters, hiddenGradient: [Double], cellGradient: [Double],
        into gradients: inout OracleParameters
    ) -> OracleStepGradient {
        let width = hiddenGradient.count
        var part = [Double](repeating: 0, count: 4 * width)
        var previousCell = [Double](repeating: 0, count: width)
        for unit in 0..<width {
            let (i, f, g, o) = gates(step, unit)
            let s = tanh(step.cell[unit])
            // h = o·s and s = tanh c, so c gets its own gradient and h's through s.
            let dc = cellGradient[unit] + hiddenGradient[unit] * o * (1 - s * s)
            part[unit] = dc * g * (i * (1 - i))
            part[width + unit] = dc * step.cellBefore[unit] * (f * (1 - f))
            part[2 * width + unit] = dc * i * (1 - g * g)
            part[3 * width + unit] = hiddenGradient[unit] * s * (o * (1 - o))
            previousCell[unit] = dc * f
        }
        return OracleStepGradient(
            step, inputPart: part, hiddenPart: part, directHidden: [Double](repeating: 0, count: width),
            cell: previousCell, parameters, into: &gradients)
    }
}
