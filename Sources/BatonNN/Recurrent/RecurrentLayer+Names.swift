import BatonKernels
import BatonTensor

extension RecurrentLayer {
    /// Completes the input width of layer 0.
    func inferredShape(_ input: [Int]) throws(NNError) -> [Int] {
        let weight = directions[0].inputWeight
        guard input.count == 3, input[2] > 0, weight.agrees(with: [weight.shape[0], input[2]]) else {
            let width = weight.shape[1]
            throw NNError(
                "Parameter \(weight.name) has the shape \(weight.shape), which does not fit an input \(input); expected \(layout.rawValue) with C \(width > 0 ? "= \(width)" : "≥ 1")."
            )
        }
        for direction in directions where direction.layer == 0 { direction.completeInputSize(input[2]) }
        return [input[0], input[1], directionCount * outputSize]
    }

    /// `l0_i2h_weight` → `_unfused.0.i2h_weight`, or with two directions `_unfused.0.l_cell.i2h_weight`.
    func unfusedName(of attribute: String) -> String {
        let parts = attribute.split(separator: "_", maxSplits: 1)
        let (place, kind) = (parts[0], parts[1])
        let cell = bidirectional ? "\(place.first == "r" ? "r" : "l")_cell." : ""
        return "_unfused.\(place.dropFirst()).\(cell)\(kind)"
    }

    /// Class, widths, layout, and what differs from the defaults (parity 1.7).
    var layerDescription: String {
        let width = directions[0].inputWeight.shape[1]
        var text = "\(type(of: self))(\(width > 0 ? String(width) : "None") -> \(hiddenSize), \(layout.rawValue)"
        if numLayers != 1 { text += ", num_layers=\(numLayers)" }
        if dropout != 0 { text += ", dropout=\(dropout)" }
        if bidirectional { text += ", bidirectional" }
        return text + ")"
    }
}
