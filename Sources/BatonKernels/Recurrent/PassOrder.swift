import BatonChecks

/// How far the passes over a window have come, and what may come next (see `RecurrentSequence`): a sequence that is called out
/// of order would compute with what another pass has left in its workspace.
struct PassOrder {
    /// Whether the last forward pass was one of training.
    private(set) var keepsHistory = false
    /// The step that forward passes have come to, and the one that backward passes have come down to.
    private var nextStep = 0
    private var nextBackwardEnd = Int.max

    /// Before a forward pass over some of the steps.
    mutating func goForward(_ range: Range<Int>, of steps: Int, training: Bool) {
        require(
            range.lowerBound >= 0 && range.upperBound <= steps,
            "RecurrentSequence.forward: steps \(range) outside 0..<\(steps)")
        require(
            range.lowerBound == 0 || range.lowerBound == nextStep && training == keepsHistory,
            "RecurrentSequence.forward: steps \(range) for \(training ? "training" : "inference") after \(nextStep) for \(keepsHistory ? "training" : "inference"), expected the steps that adjoin, for the same"
        )
        keepsHistory = training
        nextStep = range.upperBound
        nextBackwardEnd = steps
    }

    /// Before a backward pass over some of the steps.
    ///
    /// - Parameter isReady: whether the weights were packed for it.
    mutating func goBackward(_ range: Range<Int>, of steps: Int, isReady: Bool) {
        require(
            keepsHistory && nextStep == steps && isReady,
            "RecurrentSequence.backwardData: it needs a complete forward pass and an update of the weights, both for training"
        )
        require(
            range.lowerBound >= 0 && range.upperBound == nextBackwardEnd,
            "RecurrentSequence.backwardData: steps \(range), expected to end at \(nextBackwardEnd): each forward pass is walked back once"
        )
        nextBackwardEnd = range.lowerBound
    }

    /// Before gradients of weights.
    func checkWalkedBack(of steps: Int) {
        require(
            keepsHistory && nextStep == steps && nextBackwardEnd == 0,
            "RecurrentSequence.backwardWeights: it needs a complete backwardData")
    }
}
