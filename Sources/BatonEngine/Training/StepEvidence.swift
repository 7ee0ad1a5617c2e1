/// The parts of which loss, norm and hash of a training step are made: where two layouts differ, these say where.
public struct StepEvidence: Sendable, Hashable {
    /// Loss and count of every leaf of the global batch; the same on every rank.
    public var leaves: [LeafTotals] = []
    /// Bits of Σ g² of every parameter, in the order of the names; the same on every rank.
    public var gradientSquares: [UInt64] = []
    /// `ParameterHash.digest` of every parameter, in the order of the names; on ranks whose step has a hash.
    public var parameterDigests: [UInt64] = []

    /// Nothing yet.
    public init() {}
}
