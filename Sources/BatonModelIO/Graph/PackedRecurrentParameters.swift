import BatonChecks
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// What an `RNN` node says about its layers, and the parameters cut out of its packed vector.
///
/// Vector: all weights, for each layer and direction i2h, h2h and h2r if projected, each row-major; then all biases in the
/// same order, i2h and h2h. Source: MXNet 1.9.1 `rnn-inl.h` (parity 3.3).
struct PackedRecurrentParameters: Hashable {
    let kind: RecurrentKind
    let hiddenSize: Int
    let layerCount: Int
    let isBidirectional: Bool
    let dropout: Double
    let projectionSize: Int?
    let clip: [Double]
    let replacesNaN: Bool
    let givesStates: Bool
    let takesLengths: Bool

    init(_ attributes: inout GraphAttributes) throws {
        let mode = attributes.text("mode") ?? ""
        guard let kind = RecurrentKind(rawValue: mode) else {
            throw GraphMismatch("has mode = '\(printable(mode))', and Baton knows rnn_tanh, rnn_relu, lstm and gru")
        }
        self.kind = kind
        hiddenSize = try attributes.integer("state_size")
        layerCount = try attributes.integer("num_layers")
        isBidirectional = try attributes.boolean("bidirectional", default: false)
        dropout = try attributes.number("p", default: 0)
        givesStates = try attributes.boolean("state_outputs", default: false)
        takesLengths = try attributes.boolean("use_sequence_length", default: false)
        replacesNaN = try attributes.boolean("lstm_state_clip_nan", default: false)
        let limits = [
            try attributes.optionalNumber("lstm_state_clip_min"), try attributes.optionalNumber("lstm_state_clip_max"),
        ]
        clip = limits.compactMap { $0 }
        let projection = try attributes.text("projection_size").map { text in
            guard let size = Int(text) else { throw GraphMismatch("has projection_size = '\(printable(text))'") }
            return size
        }
        projectionSize = projection == 0 ? nil : projection
        guard hiddenSize >= 1, layerCount >= 1, dropout >= 0, dropout < 1, (projectionSize ?? 1) >= 1,
            (projectionSize ?? 1) <= Int(Int32.max)
        else { throw GraphMismatch("has sizes below 1, or a dropout outside 0 to 1") }
        guard projectionSize == nil && clip.isEmpty || kind == .lstm else {
            throw GraphMismatch("projects or clips, which only an lstm does")
        }
        guard clip.isEmpty || clip.count == 2 && clip[0] <= clip[1] else {
            throw GraphMismatch("has one limit of the state without the other, or the wrong way round")
        }
    }

    private var directionCount: Int { isBidirectional ? 2 : 1 }
    private var outputSize: Int { projectionSize ?? hiddenSize }

    /// The width of the input that a vector of so many elements is for; nil when there is none.
    func inputSize(total: Int) -> Int? {
        // Sizes are below 2³¹ each; doubles are exact to 2⁵³, far above any vector that fits into memory.
        let (gates, rows) = (Double(directionCount * kind.gateCount), Double(hiddenSize))
        let recurrent = Double(outputSize) + 2
        let later = Double(layerCount - 1) * gates * rows * (Double(directionCount * outputSize) + recurrent)
        let projections = projectionSize.map { Double(layerCount * directionCount) * Double($0) * rows } ?? 0
        let width = (Double(total) - later - projections) / (gates * rows) - recurrent
        guard width >= 1, width == width.rounded(), width <= Double(Int32.max) else { return nil }
        return Int(width)
    }

    /// The layer, with the parameters of the vector.
    func makeLayer(_ vector: Tensor, prefix: String) throws -> RecurrentLayer {
        guard vector.dtype.isFloatingPoint, let inputSize = inputSize(total: vector.count) else {
            throw GraphMismatch(
                "has \(vector.count) parameters, which are none of \(layerCount) layers of \(kind.rawValue) of size "
                    + "\(hiddenSize)")
        }
        let limits = clip.isEmpty ? nil : StateClip(lower: clip[0], upper: clip[1], replacesNaN: replacesNaN)
        let layer = RecurrentLayer.make(
            kind, hiddenSize: hiddenSize, numLayers: layerCount, dropout: dropout, bidirectional: isBidirectional,
            inputSize: inputSize, projectionSize: projectionSize, stateClip: limits, dtype: vector.dtype,
            useSequenceLength: takesLengths, prefix: prefix)
        var position = 0
        func fill(_ parameter: Parameter) {
            let part = vector.reshaped([vector.count])[leading: position..<position + parameter.count]
            parameter.setData(part.reshaped(parameter.shape))
            position += parameter.count
        }
        for direction in layer.directions {
            fill(direction.inputWeight)
            fill(direction.hiddenWeight)
            if let projection = direction.projectionWeight { fill(projection) }
        }
        for direction in layer.directions {
            fill(direction.inputBias)
            fill(direction.hiddenBias)
        }
        return layer
    }
}
