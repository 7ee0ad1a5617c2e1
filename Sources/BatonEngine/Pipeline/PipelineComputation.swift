import BatonComm
import BatonData
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// A window on a pipeline stage: runs the rank's list of a schedule over the micro-batches of its lanes.
final class PipelineComputation: WindowComputation {
    let arena: ParameterArena
    var states: [Tensor]
    let gradient: Tensor
    private let configuration: TrainingConfiguration
    private let stage: LanguageModelStage
    private let sums: MicroBatchSums
    private let windows: LaneWindows
    private let schedule: PipelineSchedule
    private let executor: ScheduleExecutor
    private let transfers: StageTransfers
    private let reduction: DataParallelReduction
    /// What the backward passes need before they begin.
    private let preparation: IdleWork
    /// The output layer, if all stages run it.
    private let output: OutputSpread?
    /// Micro-batches that will still add to a parameter's gradient, by its place in the arena.
    private var remaining: [Int]
    /// Tokens and targets of every micro-batch.
    private let contents: [(inputs: Tensor, targets: Tensor)]
    private var open: [LanguageModelWindow] = []
    /// Where units are divided.
    private let rows: GradientRows?

    init(
        _ configuration: TrainingConfiguration, model: LanguageModel, windows: LaneWindows,
        schedule: PipelineSchedule, grid: ProcessGrid, spreadsOutput: Bool
    ) throws {
        let microBatches = schedule.shape.microBatches
        let sums = MicroBatchSums(
            lanes: configuration.batch, leafCount: configuration.leafCount, replica: grid.place.replica,
            replicas: grid.layout.replicas, microBatches: microBatches)
        let outputParts =
            spreadsOutput
            ? OutputParts(
                lanes: configuration.batch, leafCount: configuration.leafCount, layout: grid.layout,
                place: grid.place, microBatches: microBatches) : nil
        let arena = ParameterArena(
            model.parameters.reversed(), subtreeCount: max(sums.gradientCount, outputParts?.sums.gradientCount ?? 0))
        self.configuration = configuration
        self.arena = arena
        self.sums = sums
        self.windows = windows
        self.schedule = schedule
        stage = LanguageModelStage(model, shard: try HiddenShard(grid), spreadsOutput: spreadsOutput)
        rows = try stage.shard.map { try GradientRows($0, of: model.recurrent.directions[model.layers]) }
        executor = ScheduleExecutor(schedule, rank: grid.place.replica * schedule.shape.stages + grid.place.stage)
        reduction = DataParallelReduction(
            arena, gradients: sums.roots.map { arena.gradients[$0] },
            slots: outputParts == nil ? nil : OutputSpread.slots(of: model).upperBound..<arena.slots.count,
            leafCount: configuration.leafCount, communicator: grid.replicaGroup)
        output = outputParts.map { [stage, reduction] parts in
            OutputSpread(
                configuration, stage: stage, arena: arena, parts: parts, schedule: schedule, grid: grid,
                companion: reduction.polled)
        }
        preparation = IdleWork(companion: output ?? reduction.polled)
        transfers = StageTransfers(grid.stageGroup, companion: preparation)
        gradient = arena.gradients[sums.roots[0]]
        remaining = Array(repeating: 0, count: arena.slots.count)
        let lanes = sums.shares.reduce(0) { $0 + $1.lanes.count }
        states = stage.beginState(rows: lanes)
        contents = sums.shares.map { share in
            let shape = [configuration.stepsPerWindow, share.lanes.count]
            return (Tensor(zeros: shape, dtype: .int32), Tensor(zeros: shape, dtype: .int32))
        }
    }

    func run(window: Int, step: Int, times: inout StepTimes, trace: StepTrace?) throws -> [LeafTotals]? {
        var watch = StopWatch(trace)
        transfers.trace = trace
        reduction.polled.trace = trace
        output?.trace = trace
        remaining = Array(repeating: sums.shares.count, count: arena.slots.count)
        let next = stage.beginState(rows: states[0].shape[1])
        open = try zip(sums.shares, contents).map { share, content in
            try begin(share, content, window: window, step: step, next: next)
        }
        // Windows of all micro-batches share the weights.
        preparation.begin(
            [{ [arena] in arena.beginStep() }]
                + (0..<open[0].recurrent.layerCount).map { [stage = open[0].recurrent] layer in
                    { stage.prepareBackward(layer: layer) }
                })
        defer {
            preparation.begin([])
            open = []
        }
        times.forward += watch.lap(.compute, .phase(.begin))
        try output?.begin(targets: contents.map(\.targets))
        let spent = try executor.run(self, transfers, trace: trace)
        if schedule.shape.replicas == 1 { try reduction.finish() }
        times.forward += spent.forward
        times.backward += spent.backward
        times.combine += spent.wait
        states = next
        if let output { return try output.finish() }
        guard stage.model.holdsDecoder else { return nil }
        return open.flatMap(\.entropy.leafTotals)
    }

    private func begin(
        _ share: RankShare, _ content: (inputs: Tensor, targets: Tensor), window: Int, step: Int, next: [Tensor]
    ) throws -> LanguageModelWindow {
        windows.fill(window: window, lanes: share.lanes, inputs: content.inputs, targets: content.targets)
        let first = share.lanes.lowerBound - sums.shares[0].lanes.lowerBound
        return try LanguageModelWindow(
            stage,
            LanguageModelWindow.Content(
                inputs: content.inputs, targets: content.targets, rows: first..<first + share.lanes.count,
                initial: states, final: next, leaves: share.leaves),
            training: LanguageModelWindow.Training(
                random: RandomKey(
                    seed: configuration.seed, step: UInt32(step), firstRow: UInt32(share.lanes.lowerBound)),
                gradientScale: configuration.gradientScale))
    }
}

extension PipelineComputation: StageWork {
    func perform(_ action: ScheduleAction, hook: StepHook) throws {
        let window = open[action.microBatch]
        switch action.kind {
        case .forward:
            try window.forward(steps: steps(of: action), hook: hook)
            if stage.model.holdsDecoder { try output?.spread(action, output: window.recurrent.output) }
        case .backward:
            preparation.finish()
            if stage.model.holdsDecoder {
                try output?.collect(action, into: window.recurrent.outputGradient(), transfers)
            } else {
                while try output?.work() == true {}
            }
            try window.backward(steps: steps(of: action), hook: hook)
        case .weightGradient:
            preparation.finish()
            output?.backwardWeights(microBatch: action.microBatch, hook: hook)
            arena.select(gradients: sums.gradients[action.microBatch])
            try window.backwardWeights(hook: hook, ready: ready)
            arena.select(gradients: nil)
        case .gradientSum: try reduction.finish()
        // Run where the stage would wait, or around the layers' actions: no part of an executor's list.
        case .output: break
        }
    }

    func landing(for action: ScheduleAction) -> UnsafeMutableRawBufferPointer {
        let recurrent = open[action.microBatch].recurrent
        let whole = action.kind == .forward ? recurrent.input : recurrent.outputGradient()
        return whole[leading: steps(of: action)].bytes
    }

    func result(of action: ScheduleAction) -> UnsafeRawBufferPointer {
        let window = open[action.microBatch]
        let whole = action.kind == .forward ? window.recurrent.output : window.inputGradient
        return UnsafeRawBufferPointer(whole?[leading: steps(of: action)].bytes ?? .init(start: nil, count: 0))
    }

    private func steps(of action: ScheduleAction) -> Range<Int> {
        schedule.shape.steps(ofChunk: action.chunk, of: configuration.stepsPerWindow)
    }

    /// A micro-batch has added its part to a parameter's gradient.
    private func ready(_ parameter: Parameter) throws(CommError) {
        guard let slot = arena.position(of: parameter) else { return }
        remaining[slot] -= 1
        guard remaining[slot] == 0 else { return }
        let range = arena.slots[slot].range
        sums.combine(arena, elements: range)
        try rows?.complete(
            parameter, sums.roots.map { arena.gradients[$0].pointer(of: Float.self) + range.lowerBound })
        reduction.ready(parameter)
    }
}

extension Tensor {
    /// Its memory as bytes.
    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: rawPointer, count: byteCount) }
}
