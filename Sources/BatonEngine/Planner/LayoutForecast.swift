/// What a planner expects of a layout.
public struct LayoutForecast: Sendable, Hashable {
    /// The layout.
    public var candidate: LayoutCandidate
    /// One training step.
    public var secondsPerStep: Double
    /// Targets of the global batch over the time of a step.
    public var tokensPerSecond: Double
    /// Resident memory of the rank that needs the most.
    public var bytesPerRank: Double
    /// Share of the ranks' time in the schedule in which they wait for each other.
    public var bubble: Double
    /// Share of a step that goes into sums over replicas.
    public var sumShare: Double
    /// Rows of a product: lanes of a micro-batch.
    public var rows: Int
    /// What the first rank's time goes into.
    public var times: StepTimes
}
