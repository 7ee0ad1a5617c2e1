public import BatonKernels

/// Sizes of a language model: embedding, dropout, recurrent stack, dropout, output layer.
public struct LanguageModelConfiguration: Codable, Hashable, Sendable {
    /// The recurrence.
    public var cell: RecurrentCell
    /// V.
    public var vocabularySize: Int
    /// E.
    public var embedding: Int
    /// H.
    public var hidden: Int
    /// L.
    public var layers: Int
    /// Fraction dropped after the embedding, between layers and before the output layer, in training.
    public var dropout: Double

    /// - Throws: `EngineError` naming the first figure out of range.
    public init(
        cell: RecurrentCell, vocabularySize: Int, embedding: Int, hidden: Int, layers: Int, dropout: Double
    ) throws(EngineError) {
        for (name, value) in [
            ("vocabulary size", vocabularySize), ("embedding", embedding), ("hidden size", hidden), ("layers", layers),
        ] where value < 1 {
            throw EngineError("The \(name) of the model is \(value) where at least 1 is expected.")
        }
        guard dropout >= 0, dropout < 1 else {
            throw EngineError("The dropout is \(dropout) where 0 or more and less than 1 is expected.")
        }
        self.cell = cell
        self.vocabularySize = vocabularySize
        self.embedding = embedding
        self.hidden = hidden
        self.layers = layers
        self.dropout = dropout
    }
}
