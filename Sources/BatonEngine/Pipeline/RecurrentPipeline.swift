public import BatonComm
import BatonKernelABI
import BatonKernels
public import BatonNN
public import BatonTensor

/// Inference of a recurrent stack whose layers are divided over the stages of a pipeline, and whose hidden units over
/// the shards of each: chunks of time run through the stages as a wave, and shards meet after every time step, so ranks
/// share the work of one sequence, whatever its batch size.
///
/// Calls follow each other without a pause: a first stage begins with the next window while the last is at the end of
/// this one. State stays where its layer is. The bits are those of one rank and do not depend on the chunks.
public final class RecurrentPipeline {
    /// Layers of every stage.
    public let partition: StagePartition
    /// Time steps that travel together; may be changed between windows, on all ranks alike.
    public var chunkLength: Int
    private let stack: RecurrentLayer
    private let shard: HiddenShard?
    private let grid: ProcessGrid
    private let transfers: StageTransfers
    private var window: RecurrentStage?
    private var shape = ScheduleShape(stages: 1, isTraining: false)

    /// Divides the layers over the stages of the grid.
    ///
    /// - Parameters:
    ///   - stack: One direction, TNC, the input width known; the parameters of this stage's layers have values.
    ///   - chunkLength: At least 1; see `probeChunkLength`.
    /// - Throws: `EngineError` if there are more stages than layers, the stack has two directions or asks for lengths, or
    ///   its units cannot be divided as the layout asks.
    public init(_ stack: RecurrentLayer, grid: ProcessGrid, chunkLength: Int = 8) throws(EngineError) {
        precondition(chunkLength >= 1, "RecurrentPipeline: expected a chunk of at least 1 step, got \(chunkLength)")
        guard !stack.bidirectional else {
            throw EngineError(
                "A bidirectional stack cannot be divided into pipeline stages: each layer needs the whole sequence of the one below."
            )
        }
        guard !stack.useSequenceLength else {
            throw EngineError(
                "A stack that asks for the lengths of its rows cannot be divided into pipeline stages, which take none."
            )
        }
        guard grid.layout.stages <= stack.numLayers else {
            throw EngineError(
                "\(grid.layout.stages) pipeline stages do not fit a stack of \(stack.numLayers) layer(s); use at most \(stack.numLayers)."
            )
        }
        try HiddenShard.check(grid.layout, stack)
        shard = try HiddenShard(grid)
        self.stack = stack
        self.grid = grid
        self.chunkLength = chunkLength
        partition = StagePartition(
            costs: stack.directions.map { direction in
                Double(direction.parameters.reduce(0) { $0 + $1.count })
            }, stages: grid.layout.stages)
        transfers = StageTransfers(grid.stageGroup)
    }

    /// Layers of this rank.
    public var layers: Range<Int> { partition.stages[grid.place.stage] }

    /// Zero states of this rank's layers: h (layers, N, R) and, for LSTM, c (layers, N, H); R is H unless projected.
    public func beginState(batchSize: Int) -> [Tensor] {
        [stack.outputSize, stack.hiddenSize].prefix(stack.stateCount).map { width in
            Tensor(zeros: [layers.count, batchSize, width], dtype: stack.dtype)
        }
    }

    /// Runs one window. Collective over the ranks of a replica.
    ///
    /// | Value | Shape |
    /// |---|---|
    /// | input | (T, N, C), read on the first stage; elsewhere only T and N count |
    /// | states | before the window, of this rank's layers |
    /// | returns | (T, N, R) on the last stage, nil elsewhere; states after the window |
    ///
    /// The shards of a stage get the same; the output is in memory they share: only to be read.
    ///
    /// - Throws: `CommError` of the transport.
    public func forward(_ input: Tensor, states: [Tensor]) throws -> (output: Tensor?, states: [Tensor]) {
        let (steps, rows) = (input.shape[0], input.shape[1])
        let isFirst = grid.place.stage == 0
        let next = beginState(batchSize: rows)
        let received = isFirst ? input : Tensor(uninitialized: [steps, rows, stack.outputSize], dtype: stack.dtype)
        let window = try RecurrentStage(
            stack, layers: layers, input: received, rows: 0..<rows, initial: states, final: next,
            leaves: .whole(rows: rows), random: nil, recordsGradients: false, shard: shard)
        self.window = window
        defer { self.window = nil }
        let chunks = max(1, (steps + chunkLength - 1) / chunkLength)
        shape = ScheduleShape(stages: grid.layout.stages, chunks: chunks, isTraining: false)
        let schedule = PipelineSchedule.inference(stages: grid.layout.stages, chunks: chunks)
        _ = try ScheduleExecutor(schedule, rank: grid.place.stage).run(self, transfers)
        return (grid.place.stage == grid.layout.stages - 1 ? window.output : nil, next)
    }

    /// Takes the chunk length that runs windows of a size fastest, by a short trial of each. Collective over the ranks
    /// of a replica.
    ///
    /// - Parameter seconds: Time per candidate.
    public func probeChunkLength(steps: Int, batchSize: Int, seconds: Double = 0.05) throws {
        let width = grid.place.stage == 0 ? stack.directions[0].inputWeight.shape[1] : stack.outputSize
        let input = Tensor(zeros: [steps, batchSize, width], dtype: stack.dtype)
        var best = Double.infinity
        var winner = chunkLength
        for candidate in [1, 2, 4, 8, 16] where candidate <= steps {
            chunkLength = candidate
            var states = beginState(batchSize: batchSize)
            (_, states) = try forward(input, states: states)
            // The first stage says how often, so that all run as often.
            var watch = StopWatch()
            (_, states) = try forward(input, states: states)
            let count = try agreed(max(2, min(200, seconds / max(watch.lap(), 1e-6))))
            _ = watch.lap()
            for _ in 0..<Int(count) { (_, states) = try forward(input, states: states) }
            // The slowest stage decides.
            let time = try agreed(watch.lap() / count.rounded(.down))
            if time < best { (best, winner) = (time, candidate) }
        }
        chunkLength = winner
    }

    /// The largest of the ranks' values, on all.
    private func agreed(_ value: Double) throws(CommError) -> Double {
        var largest = value
        for group in [grid.stageGroup, grid.shardGroup] {
            let own = Tensor([largest], shape: [1])
            let all = Tensor(zeros: [group.size], dtype: .float64)
            try group.allGather(UnsafeRawBufferPointer(own.bytes), into: all.bytes)
            largest = all.elements(as: Double.self).max() ?? largest
        }
        return largest
    }
}

extension RecurrentPipeline: StageWork {
    func perform(_ action: ScheduleAction, hook: StepHook) throws {
        try window?.forward(steps: steps(of: action), hook: hook)
    }

    func landing(for action: ScheduleAction) -> UnsafeMutableRawBufferPointer {
        window?.input[leading: steps(of: action)].bytes ?? .init(start: nil, count: 0)
    }

    func result(of action: ScheduleAction) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(window?.output[leading: steps(of: action)].bytes ?? .init(start: nil, count: 0))
    }

    private func steps(of action: ScheduleAction) -> Range<Int> {
        shape.steps(ofChunk: action.chunk, of: window?.input.shape[0] ?? 0)
    }
}
