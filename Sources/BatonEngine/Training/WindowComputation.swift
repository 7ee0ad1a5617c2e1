import BatonTensor

/// Forward and backward pass of one window on one rank, with the sum of gradients over replicas.
protocol WindowComputation: AnyObject {
    /// Flat memory of the parameters and gradients the rank holds.
    var arena: ParameterArena { get }
    /// Recurrent states of the rank's layers and lanes before the next window, (layers, N, H) each.
    var states: [Tensor] { get set }
    /// The gradient of the rank's parameters over the global batch, flat as the arena; valid after `run`.
    var gradient: Tensor { get }
    /// Runs a window. Collective.
    ///
    /// - Parameters:
    ///   - window: its number in the epoch.
    ///   - step: training steps done before it.
    ///   - trace: records what happens; nil records nothing.
    /// - Returns: loss of the rank's leaves, ascending; nil on a stage that has no output layer.
    func run(window: Int, step: Int, times: inout StepTimes, trace: StepTrace?) throws -> [LeafTotals]?
}
