import BatonChecks

/// Row-major parameters of one layer and direction, read when the weights are packed.
public struct RecurrentParameterPointers<Scalar> {
    /// (G·H, I)
    public var inputWeight: UnsafePointer<Scalar>
    /// (G·H, R)
    public var hiddenWeight: UnsafePointer<Scalar>
    /// (G·H)
    public var inputBias: UnsafePointer<Scalar>
    /// (G·H)
    public var hiddenBias: UnsafePointer<Scalar>
    /// (P, H), if projected.
    public var projectionWeight: UnsafePointer<Scalar>?

    /// All values at once.
    public init(
        inputWeight: UnsafePointer<Scalar>, hiddenWeight: UnsafePointer<Scalar>,
        inputBias: UnsafePointer<Scalar>, hiddenBias: UnsafePointer<Scalar>,
        projectionWeight: UnsafePointer<Scalar>? = nil
    ) {
        self.inputWeight = inputWeight
        self.hiddenWeight = hiddenWeight
        self.inputBias = inputBias
        self.hiddenBias = hiddenBias
        self.projectionWeight = projectionWeight
    }
}

/// Gradients of the parameters of one layer and direction, same shapes as the parameters. Every kernel adds
/// to what is there.
public struct RecurrentGradientPointers<Scalar> {
    /// (G·H, I)
    public var inputWeight: UnsafeMutablePointer<Scalar>
    /// (G·H, R)
    public var hiddenWeight: UnsafeMutablePointer<Scalar>
    /// (G·H)
    public var inputBias: UnsafeMutablePointer<Scalar>
    /// (G·H)
    public var hiddenBias: UnsafeMutablePointer<Scalar>
    /// (P, H), if projected.
    public var projectionWeight: UnsafeMutablePointer<Scalar>?

    /// All values at once.
    public init(
        inputWeight: UnsafeMutablePointer<Scalar>, hiddenWeight: UnsafeMutablePointer<Scalar>,
        inputBias: UnsafeMutablePointer<Scalar>, hiddenBias: UnsafeMutablePointer<Scalar>,
        projectionWeight: UnsafeMutablePointer<Scalar>? = nil
    ) {
        self.inputWeight = inputWeight
        self.hiddenWeight = hiddenWeight
        self.inputBias = inputBias
        self.hiddenBias = hiddenBias
        self.projectionWeight = projectionWeight
    }
}

extension Array {
    /// Ends the process unless the plan is one of so many rows and every subtree has a destination, with V's gradient if the
    /// layer is projected.
    func check<Scalar>(_ leaves: LeafPlan, batch: Int, isProjected: Bool)
    where Element == RecurrentGradientPointers<Scalar> {
        leaves.check(batch: batch, destinations: count, of: "RecurrentSequence")
        require(
            allSatisfy { ($0.projectionWeight != nil) == isProjected },
            "RecurrentSequence.backwardWeights: a destination of V's gradient belongs to a projected layer, and only there"
        )
    }
}
