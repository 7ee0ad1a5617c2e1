public import BatonTensor

/// What a recurrent block says about one of its states. Source: Gluon `state_info` (parity 1.2, 1.4).
public struct RecurrentStateInfo: Sendable, Hashable {
    /// Name of a state made for it, for instance `lstm0_h0_1`.
    public let name: String
    /// Dimensions; a batch of 0 rows stands for an unknown one.
    public let shape: [Int]
    /// The axes: `LNC` in a layer.
    public let layout: String
    /// Element type.
    public let dtype: DType

    /// All values at once.
    public init(name: String, shape: [Int], layout: String, dtype: DType) {
        self.name = name
        self.shape = shape
        self.layout = layout
        self.dtype = dtype
    }
}
