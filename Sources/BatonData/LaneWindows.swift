import BatonChecks
public import BatonTensor

/// A sequence of tokens as B lanes of equal length, cut into windows of T steps, for training with carried state.
///
/// Lane b is the contiguous stretch of `laneLength` = ⌊(tokens − 1) / B⌋ inputs that starts at token b · laneLength;
/// its targets are the tokens one position later. Window w holds positions w · T ..< (w + 1) · T of every lane, so the
/// state at the end of a window is the state before the next one, lane by lane, and all lanes advance together. A rank
/// asks for a contiguous range of lanes; lane numbers are global, so what a lane holds does not depend on ranks.
///
/// Unused: up to B − 1 tokens at the end of the sequence, and up to T − 1 positions at the end of each lane unless the
/// tail is kept.
///
/// - Source: truncated backpropagation through time over contiguous lanes, as in PyTorch's word language model.
public struct LaneWindows: Sendable {
    /// What happens to the positions of a lane that do not fill a window.
    public enum Tail: Sendable {
        /// They are left out, so that all windows have T steps: for training.
        case dropped
        /// They form a last, shorter window, so that every position is scored exactly once: for evaluation.
        case kept
    }

    private let tokens: [Int32]
    /// B, over all ranks.
    public let laneCount: Int
    /// T.
    public let steps: Int
    /// Inputs per lane, those of a dropped tail included.
    public let laneLength: Int
    /// Windows until the lanes end.
    public let windowsPerEpoch: Int

    /// Lays a sequence out in lanes.
    ///
    /// - Parameters:
    ///   - lanes: B ≥ 1, over all ranks.
    ///   - steps: T ≥ 1.
    /// - Throws: `DataError` (`outOfRange`) for B or T below 1, and (`tooShort`) when the tokens are fewer than
    ///   B · T + 1, or B + 1 with the tail kept.
    public init(tokens: [Int32], lanes: Int, steps: Int, tail: Tail) throws(DataError) {
        guard lanes >= 1 && steps >= 1 else {
            throw DataError(
                .outOfRange,
                "\(counted(lanes, "lane")) of \(counted(steps, "step")) are asked for where at least 1 of each is expected; raise them."
            )
        }
        let laneLength = max(0, tokens.count - 1) / lanes
        let shortest = tail == .dropped ? steps : 1
        guard laneLength >= shortest else {
            let (product, tooMany) = lanes.multipliedReportingOverflow(by: shortest)
            let (needed, overflow) = product.addingReportingOverflow(1)
            throw DataError(
                .tooShort,
                "The text has \(counted(tokens.count, "token")) where \(counted(lanes, "lane")) of \(counted(shortest, "step")) need "
                    + "\(tooMany || overflow ? "more" : String(needed)); use fewer lanes, shorter windows or more text."
            )
        }
        self.tokens = tokens
        self.laneLength = laneLength
        self.steps = steps
        laneCount = lanes
        windowsPerEpoch = tail == .dropped ? laneLength / steps : (laneLength - 1) / steps + 1
    }

    /// Throws unless a model of this vocabulary can be trained on the tokens, or evaluated.
    ///
    /// - Throws: `DataError` (`unknownIdentifier`) naming the first token outside 0 ..< `vocabularySize`.
    public func check(vocabularySize: Int) throws(DataError) {
        try Identifiers.check(tokens, below: vocabularySize)
    }

    /// The lanes for evaluation: like training's, but every position of every lane is scored exactly once.
    ///
    /// The number of lanes is evaluation's own. It must not depend on the number of ranks, because lanes start with
    /// zero state, and with other lanes the loss is another.
    ///
    /// - Throws: `DataError` as the initializer.
    public static func evaluation(tokens: [Int32], lanes: Int, steps: Int) throws(DataError) -> LaneWindows {
        try LaneWindows(tokens: tokens, lanes: lanes, steps: steps, tail: .kept)
    }

    /// Targets of one epoch over all lanes: the denominator of the mean loss.
    public var targetsPerEpoch: Int { laneCount * min(laneLength, windowsPerEpoch * steps) }

    /// Steps of a window: T, or fewer in a tail that is kept.
    ///
    /// - Precondition: the window is in 0 ..< `windowsPerEpoch`.
    public func stepCount(ofWindow window: Int) -> Int {
        require(
            window >= 0 && window < windowsPerEpoch, "LaneWindows: window \(window) of \(windowsPerEpoch)")
        return min(steps, laneLength - window * steps)
    }

    /// Writes the inputs and targets of one window for a range of lanes into memory of the caller.
    ///
    /// | Argument | Shape | Type | Meaning |
    /// |---|---|---|---|
    /// | window | – | Int | 0 ..< `windowsPerEpoch` |
    /// | lanes | – | Range | N consecutive global lanes, those of this rank; may be empty |
    /// | inputs | (T, N) | int32 | written: token ids; T is `stepCount(ofWindow:)` |
    /// | targets | (T, N) | int32 | written: the ids one position later |
    ///
    /// - Precondition: window and lanes exist; the tensors have the shape and type above. For a shorter last window
    ///   pass a view of the leading steps.
    /// - Memory: allocates no tensor.
    public func fill(window: Int, lanes: Range<Int>, inputs: Tensor, targets: Tensor) {
        let stepCount = stepCount(ofWindow: window)
        require(
            lanes.lowerBound >= 0 && lanes.upperBound <= laneCount, "LaneWindows: lanes \(lanes) of \(laneCount)")
        for tensor in [inputs, targets] {
            require(
                tensor.shape == [stepCount, lanes.count],
                "LaneWindows: shape \(tensor.shape) where (T, N) = [\(stepCount), \(lanes.count)] is expected")
        }
        let input = inputs.pointer(of: Int32.self)
        let target = targets.pointer(of: Int32.self)
        tokens.withUnsafeBufferPointer { tokens in
            for step in 0..<stepCount {
                for (column, lane) in lanes.enumerated() {
                    let position = lane * laneLength + window * steps + step
                    input[step * lanes.count + column] = tokens[position]
                    target[step * lanes.count + column] = tokens[position + 1]
                }
            }
        }
    }
}
