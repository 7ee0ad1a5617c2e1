public import BatonKernels

/// Sizes of a language model: embedding, recurrent stack, output layer.
public struct LanguageModelConfiguration: Codable, Hashable, Sendable {
    /// The recurrence.
    public var cell: RecurrentKind
    /// V.
    public var vocabularySize: Int
    /// E.
    public var embedding: Int
    /// H.
    public var hidden: Int
    /// L.
    public var layers: Int
    /// Fraction dropped between layers, in training.
    public var dropout: Double

    /// - Throws: `EngineError` naming the first figure out of range.
    public init(
        cell: RecurrentKind, vocabularySize: Int, embedding: Int, hidden: Int, layers: Int, dropout: Double
    ) throws(EngineError) {
        self.cell = cell
        self.vocabularySize = vocabularySize
        self.embedding = embedding
        self.hidden = hidden
        self.layers = layers
        self.dropout = dropout
        try check()
    }

    /// Throws unless every figure is in its range; to be called on a decoded configuration.
    ///
    /// - Throws: `EngineError` naming the first figure out of range.
    public func check() throws(EngineError) {
        for (name, value) in [
            ("vocabulary size", vocabularySize), ("embedding", embedding), ("hidden size", hidden),
        ] where !(1...Self.largestSize).contains(value) {
            throw EngineError("The \(name) of the model is \(value) where 1 to \(Self.largestSize) is expected.")
        }
        guard (1...Self.largestDepth).contains(layers) else {
            throw EngineError("The model has \(layers) layers where 1 to \(Self.largestDepth) are expected.")
        }
        // Written so that NaN is refused too.
        guard dropout >= 0, dropout < 1 else {
            throw EngineError("The dropout is \(dropout) where 0 or more and less than 1 is expected.")
        }
    }

    /// Tensors of recurrent state: h and, for LSTM, c.
    public var stateCount: Int { cell.hasCellState ? 2 : 1 }

    /// Bounds beyond any machine's memory or patience, so that no product of sizes overflows.
    private static let largestSize = 1 << 24
    private static let largestDepth = 1 << 12

    /// Names and shapes of the parameters, as `LanguageModel.pyTorchNames` lists them, known without building a model.
    public var parameterShapes: [(name: String, shape: [Int])] {
        var result = [("embedding.weight", [vocabularySize, embedding])]
        let rows = cell.gateCount * hidden
        for layer in 0..<layers {
            result += [
                ("rnn.weight_ih_l\(layer)", [rows, layer == 0 ? embedding : hidden]),
                ("rnn.weight_hh_l\(layer)", [rows, hidden]),
                ("rnn.bias_ih_l\(layer)", [rows]), ("rnn.bias_hh_l\(layer)", [rows]),
            ]
        }
        return result + [("decoder.weight", [vocabularySize, hidden]), ("decoder.bias", [vocabularySize])]
    }

    /// Number of parameters; as a floating-point number, because sizes that no memory holds must not overflow.
    public var parameterCount: Double { parameterCount(layers: 0..<layers) }

    /// Parameters of some layers, with the embedding at the first and the output layer at the last.
    func parameterCount(layers range: Range<Int>) -> Double {
        let rows = Double(cell.gateCount * hidden)
        var count = 0.0
        for layer in range { count += rows * (Double((layer == 0 ? embedding : hidden) + hidden) + 2) }
        if range.lowerBound == 0 { count += Double(vocabularySize) * Double(embedding) }
        if range.upperBound == layers { count += outputParameterCount }
        return count
    }

    /// Elements of the largest parameter of some layers.
    func largestRecurrentParameter(layers range: Range<Int>) -> Int {
        cell.gateCount * hidden * max(hidden, range.lowerBound == 0 ? embedding : hidden)
    }

    /// Parameters of the output layer.
    var outputParameterCount: Double { Double(vocabularySize) * Double(hidden + 1) }
}
