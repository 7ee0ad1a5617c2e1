/// What one training step reports; the same on every rank but for the rows and the time.
public struct StepMetrics: Sendable, Hashable {
    /// Steps done, counted from 1.
    public var step: Int
    /// Mean cross-entropy over all targets of the global batch, nats per token.
    public var loss: Double
    /// Global norm of the gradient before clipping.
    public var gradientNorm: Double
    /// `ParameterHash` after the step; nil on ranks other than 0.
    public var parameterHash: UInt64?
    /// Targets of the global batch.
    public var tokens: Int
    /// Lanes this rank computed.
    public var rowsThisRank: Int
    /// Wall time of the step.
    public var seconds: Double
    /// Its parts.
    public var times: StepTimes
}
