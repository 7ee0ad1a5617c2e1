public import BatonComm
import BatonData
import BatonKernels
import BatonNN
import BatonTensor

/// The mean loss of a language model on a text: lanes of equal length with carried state, every target of every lane scored
/// once. Up to one token less than there are lanes is left over at the end of the text.
public struct LanguageModelEvaluator {
    private let windows: LaneWindows
    private let leafCount: Int
    private let grid: ProcessGrid

    /// Lanes of a long text.
    public static let mostLanes = 32

    /// Lays the text out in lanes. Not collective; the same text on all ranks.
    ///
    /// - Parameters:
    ///   - tokens: the text. The number of lanes follows from its length alone (at most `mostLanes`, at least `steps` targets
    ///     each where possible), so the loss does not depend on ranks.
    ///   - steps: T of a window; the last may be shorter.
    ///   - grid: the ranks; replicas divide the lanes, stages the layers.
    /// - Throws: `DataError` if there are fewer than two tokens.
    public init(tokens: [Int32], steps: Int, grid: ProcessGrid) throws {
        var lanes = Self.mostLanes
        while lanes > 1 && (tokens.count - 1) / lanes < steps { lanes /= 2 }
        windows = try LaneWindows.evaluation(tokens: tokens, lanes: lanes, steps: steps)
        leafCount = LeafPlan.leafCount(rows: lanes)
        self.grid = grid
    }

    /// The same with the lanes divided over all ranks of a communicator; throws as the other initialiser.
    public init(tokens: [Int32], steps: Int, communicator: any Communicator) throws {
        try self.init(tokens: tokens, steps: steps, grid: ProcessGrid(dataParallel: communicator))
    }

    /// Nats per token and the number of tokens. Collective; the same bits on all ranks and in every layout.
    ///
    /// - Parameter model: the whole model, or the part of this rank's stage.
    /// - Throws: `DataError` (`unknownIdentifier`) if the text has a token that the model's vocabulary has not;
    ///   `CommError` of the transport.
    public func evaluate(_ model: LanguageModel) throws -> (loss: Double, tokens: Int) {
        try windows.check(vocabularySize: model.configuration.vocabularySize)
        let share = RankShare(
            lanes: windows.laneCount, leafCount: leafCount, rank: grid.place.replica, size: grid.layout.replicas)
        let stage = LanguageModelStage(model, shard: try HiddenShard(grid))
        var totals = share.leaves.leaves.map { _ in LeafTotals(lossSum: 0, tokenCount: 0) }
        if !share.lanes.isEmpty {
            try StreamOfWindows<LanguageModelWindow>.run(
                windows.windowsPerEpoch,
                chunks: ScheduleShape.chunks(stages: grid.layout.stages, steps: windows.stepCount(ofWindow: 0)),
                on: grid, StageTransfers(grid.stageGroup)
            ) { index, carried in
                try begin(index, stage, share, from: carried)
            } ended: { _, window, _ in
                totals = zip(totals, window.entropy.leafTotals).map { $0 + $1 }
            }
        }
        let sum = LeafPlan.treeSum(
            try GlobalSum(leafCount: leafCount, communicator: grid.replicaGroup)
                .gather(model.holdsDecoder ? totals : nil, lastStageOf: grid), +)
        return (sum.lossSum / Double(sum.tokenCount), sum.tokenCount)
    }

    private func begin(
        _ number: Int, _ stage: LanguageModelStage, _ share: RankShare, from states: [Tensor]?
    ) throws -> (window: LanguageModelWindow, states: [Tensor]) {
        let shape = [windows.stepCount(ofWindow: number), share.lanes.count]
        let inputs = Tensor(uninitialized: shape, dtype: .int32)
        let targets = Tensor(uninitialized: shape, dtype: .int32)
        windows.fill(window: number, lanes: share.lanes, inputs: inputs, targets: targets)
        let next = stage.beginState(rows: share.lanes.count)
        let window = try LanguageModelWindow(
            stage,
            LanguageModelWindow.Content(
                inputs: inputs, targets: targets, rows: 0..<share.lanes.count,
                initial: states ?? stage.beginState(rows: share.lanes.count), final: next, leaves: share.leaves),
            training: nil)
        return (window, next)
    }
}
