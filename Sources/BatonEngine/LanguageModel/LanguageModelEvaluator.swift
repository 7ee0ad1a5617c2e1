public import BatonComm
import BatonData
import BatonKernels
import BatonNN
import BatonTensor

/// The mean loss of a language model on a text: lanes with carried state, every target of every lane scored once.
public struct LanguageModelEvaluator {
    private let windows: LaneWindows
    private let leafCount: Int
    private let communicator: any Communicator

    /// - Parameters:
    ///   - tokens: the text. The number of lanes follows from its length alone (at most 32, at least `steps` targets
    ///     each where possible), so the loss does not depend on ranks.
    ///   - steps: T of a window; the last may be shorter.
    /// - Throws: `DataError` if there are fewer than two tokens.
    public init(tokens: [Int32], steps: Int, communicator: any Communicator) throws {
        var lanes = 32
        while lanes > 1 && (tokens.count - 1) / lanes < steps { lanes /= 2 }
        windows = try LaneWindows.evaluation(tokens: tokens, lanes: lanes, steps: steps)
        leafCount = LeafPlan.leafCount(rows: lanes)
        self.communicator = communicator
    }

    /// Nats per token and the number of tokens. Collective; the same bits on all ranks and for any number of them.
    public func evaluate(_ model: LanguageModel) throws(CommError) -> (loss: Double, tokens: Int) {
        let share = RankShare(
            lanes: windows.laneCount, leafCount: leafCount, rank: communicator.rank, size: communicator.size)
        var totals = share.leaves.leaves.map { _ in LeafTotals(lossSum: 0, tokenCount: 0) }
        if !share.lanes.isEmpty {
            let context = ForwardContext(leaves: share.leaves)
            var states = model.beginState(batchSize: share.lanes.count)
            for window in 0..<windows.windowsPerEpoch {
                let shape = [windows.stepCount(ofWindow: window), share.lanes.count]
                let inputs = Tensor(uninitialized: shape, dtype: .int32)
                let targets = Tensor(uninitialized: shape, dtype: .int32)
                windows.fill(window: window, lanes: share.lanes, inputs: inputs, targets: targets)
                let (logits, final) = model(inputs, states: states, context)
                states = final
                let loss = context.softmaxCrossEntropy(logits, targets: targets, gradientScale: 0)
                for leaf in totals.indices {
                    totals[leaf].lossSum += loss.leafSums[leaf]
                    totals[leaf].tokenCount += loss.leafCounts[leaf]
                }
            }
        }
        let sum = try GlobalSum(leafCount: leafCount, communicator: communicator).combine(totals)
        return (sum.lossSum / Double(sum.tokenCount), sum.tokenCount)
    }
}
