internal import Glibc

/// c = f⊙c₋₁ + i⊙g, clipped if asked, m = o⊙tanh c, h = V·m or m itself, for one sample and step; gates i, f, g, o down
/// the rows.
enum OracleLSTM {
    static func forward(
        _ parameters: OracleParameters, input: [Double], hidden: [Double], cell: [Double], clip: OracleClip?
    ) -> OracleStep {
        var step = OracleStep(parameters, input: input, hidden: hidden, cell: cell)
        for unit in cell.indices {
            let (i, f, g, o) = gates(step, unit)
            var c = f * cell[unit] + i * g
            var isClipped = false
            if let clip {
                isClipped = c < clip.lower || c > clip.upper || clip.replacesNaN && c.isNaN
                if isClipped { c = c > clip.upper ? clip.upper : clip.lower }
            }
            step.cell.append(c)
            step.clipped.append(isClipped)
            step.unprojected.append(o * tanh(c))
        }
        step.hidden = step.unprojected
        if !parameters.projectionWeight.isEmpty {
            step.hidden = OracleAlgebra.affine(
                parameters.projectionWeight, step.unprojected, hidden.map { _ in 0 })
        }
        return step
    }

    private static func gates(_ step: OracleStep, _ unit: Int) -> (i: Double, f: Double, g: Double, o: Double) {
        let width = step.cellBefore.count
        let a = (0..<4).map { step.inputPart[$0 * width + unit] + step.hiddenPart[$0 * width + unit] }
        return (
            OracleAlgebra.sigmoid(a[0]), OracleAlgebra.sigmoid(a[1]), tanh(a[2]), OracleAlgebra.sigmoid(a[3])
        )
    }

    static func backward(
        _ step: OracleStep, _ parameters: OracleParameters, hiddenGradient: [Double], cellGradient: [Double],
        into gradients: inout OracleParameters
    ) -> OracleStepGradient {
        let width = step.cell.count
        var dm = hiddenGradient
        if !parameters.projectionWeight.isEmpty {
            OracleAlgebra.addOuter(hiddenGradient, step.unprojected, to: &gradients.projectionWeight)
            dm = OracleAlgebra.transposed(parameters.projectionWeight, hiddenGradient, columns: width)
        }
        var part = [Double](repeating: 0, count: 4 * width)
        var previousCell = [Double](repeating: 0, count: width)
        for unit in 0..<width {
            let (i, f, g, o) = gates(step, unit)
            let s = tanh(step.cell[unit])
            // h = o·s and s = tanh c, so c gets its own gradient and h's through s.
            let dc = cellGradient[unit] + dm[unit] * o * (1 - s * s)
            part[3 * width + unit] = dm[unit] * s * (o * (1 - o))
            if step.clipped[unit] { continue }
            part[unit] = dc * g * (i * (1 - i))
            part[width + unit] = dc * step.cellBefore[unit] * (f * (1 - f))
            part[2 * width + unit] = dc * i * (1 - g * g)
            previousCell[unit] = dc * f
        }
        return OracleStepGradient(
            step, inputPart: part, hiddenPart: part, directHidden: hiddenGradient.map { _ in 0 },
            cell: previousCell, parameters, into: &gradients)
    }
}
