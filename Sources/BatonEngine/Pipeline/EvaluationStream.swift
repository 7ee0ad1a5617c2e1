import BatonComm
import BatonData
import BatonKernelABI
import BatonKernels
import BatonTensor

/// All windows of a text, one after the other, through one stage of a pipeline, forward only. No stage waits at the end
/// of a window: state stays where its layer is, so a stage goes on with the next window at once.
final class EvaluationStream: StageWork {
    private let stage: LanguageModelStage
    private let windows: LaneWindows
    private let share: RankShare
    private let grid: ProcessGrid
    private let shape: ScheduleShape
    /// Windows whose tensors are in use.
    private var open: [Int: LanguageModelWindow] = [:]
    /// States after the window begun last.
    private var states: [Tensor]
    private var totals: [LeafTotals]

    init(_ stage: LanguageModelStage, windows: LaneWindows, share: RankShare, grid: ProcessGrid) {
        self.stage = stage
        self.windows = windows
        self.share = share
        self.grid = grid
        let stages = grid.layout.stages
        shape = ScheduleShape(
            stages: stages, microBatches: windows.windowsPerEpoch,
            chunks: stages == 1 ? 1 : min(8 * stages, windows.stepCount(ofWindow: 0)), isTraining: false)
        states = stage.beginState(rows: share.lanes.count)
        totals = share.leaves.leaves.map { _ in LeafTotals(lossSum: 0, tokenCount: 0) }
    }

    /// The loss of the rank's leaves, on the last stage. Collective over the stages.
    func run() throws -> [LeafTotals] {
        if share.lanes.isEmpty { return totals }
        let schedule = PipelineSchedule.inference(
            stages: shape.stages, chunks: shape.chunks, sequences: shape.microBatches)
        let executor = ScheduleExecutor(schedule, rank: grid.place.stage, isStream: true)
        _ = try executor.run(self, StageTransfers(grid.stageGroup))
        return totals
    }

    func perform(_ action: ScheduleAction, hook: StepHook) throws {
        let number = action.microBatch
        if action.chunk == 0 { open[number - 2] = nil }
        let window = try window(number)
        try window.forward(steps: steps(of: action), hook: hook)
        guard action.chunk + 1 == shape.chunks, stage.model.holdsDecoder else { return }
        for leaf in totals.indices {
            totals[leaf].lossSum += window.entropy.leafSums[leaf]
            totals[leaf].tokenCount += window.entropy.leafCounts[leaf]
        }
    }

    func landing(for action: ScheduleAction) throws -> UnsafeMutableRawBufferPointer {
        try window(action.microBatch).recurrent.input[leading: steps(of: action)].bytes
    }

    func result(of action: ScheduleAction) throws -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(try window(action.microBatch).recurrent.output[leading: steps(of: action)].bytes)
    }

    private func steps(of action: ScheduleAction) -> Range<Int> {
        shape.steps(ofChunk: action.chunk, of: windows.stepCount(ofWindow: action.microBatch))
    }

    /// A window, begun when it is first asked for; that happens in their order.
    private func window(_ number: Int) throws(CommError) -> LanguageModelWindow {
        if let window = open[number] { return window }
        let content = [windows.stepCount(ofWindow: number), share.lanes.count]
        let inputs = Tensor(uninitialized: content, dtype: .int32)
        let targets = Tensor(uninitialized: content, dtype: .int32)
        windows.fill(window: number, lanes: share.lanes, inputs: inputs, targets: targets)
        let next = stage.beginState(rows: share.lanes.count)
        let window = try LanguageModelWindow(
            stage,
            LanguageModelWindow.Content(
                inputs: inputs, targets: targets, rows: 0..<share.lanes.count, initial: states, final: next,
                leaves: share.leaves),
            training: nil)
        states = next
        open[number] = window
        return window
    }
}
