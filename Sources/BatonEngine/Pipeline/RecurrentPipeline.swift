import BatonChecks
public import BatonComm
import BatonKernelABI
import BatonKernels
public import BatonNN
public import BatonTensor

/// Inference of a recurrent stack whose layers are divided over the stages of a pipeline, and whose hidden units over
/// the shards of each: chunks of time run through the stages as a wave, and shards meet after every time step, so ranks
/// share the work of one sequence, whatever its batch size.
///
/// A stream of windows keeps all stages busy, whatever the chunks: the first begins with the next window while the last
/// is at the end of this one. State stays where its layer is. The bits are those of one rank and do not depend on the chunks.
public final class RecurrentPipeline {
    /// Layers of every stage.
    public let partition: StagePartition
    /// Time steps that travel together; may be changed between windows, on all ranks alike.
    public var chunkLength: Int
    private let stack: RecurrentLayer
    private let shard: HiddenShard?
    private let grid: ProcessGrid
    private let transfers: StageTransfers

    /// Divides the layers over the stages of the grid. Not collective.
    ///
    /// - Parameters:
    ///   - stack: One direction, TNC, the input width known; the parameters of this stage's layers have values.
    ///   - chunkLength: At least 1; see `probeChunkLength`.
    /// - Throws: `EngineError` if there are more stages than layers, the stack has two directions or asks for lengths, or
    ///   its units cannot be divided as the layout asks.
    public init(_ stack: RecurrentLayer, grid: ProcessGrid, chunkLength: Int = 8) throws(EngineError) {
        require(chunkLength >= 1, "RecurrentPipeline: expected a chunk of at least 1 step, got \(chunkLength)")
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
        partition = try StagePartition(stack, stages: grid.layout.stages)
        try HiddenShard.check(grid.layout, stack)
        shard = try HiddenShard(grid)
        self.stack = stack
        self.grid = grid
        self.chunkLength = chunkLength
        transfers = StageTransfers(grid.stageGroup)
    }

    /// Layers of this rank.
    public var layers: Range<Int> { partition.stages[grid.place.stage] }

    /// Zero states of this rank's layers: h (layers, N, R) and, for LSTM, c (layers, N, H); R is H unless projected.
    public func beginState(batchSize: Int) -> [Tensor] {
        stack.stateWidths.map { width in
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
        var result: (output: Tensor?, states: [Tensor]) = (nil, [])
        try stream(1, window: { _ in (input, states) }, ended: { result = ($1, $2) })
        return result
    }

    /// Runs windows one after the other, so that all stages are busy: a stage begins the next as soon as it has ended
    /// the one before, and is one window ahead of the next stage at most. Collective over the ranks of a replica.
    ///
    /// - Parameters:
    ///   - count: Number of windows.
    ///   - window: Input and states of a window, as for `forward`; asked for once each, in their order, maybe before the
    ///     window before has ended. T and N may differ from window to window, but are the same on all ranks. No states:
    ///     those after the window before, of as many rows; zero before the first.
    ///   - ended: Called when this rank has ended a window, in their order, with what `forward` returns.
    /// - Throws: `CommError` of the transport, and what the closures throw.
    public func stream(
        _ count: Int, window: @escaping (_ index: Int) throws -> (input: Tensor, states: [Tensor]?),
        ended: @escaping (_ index: Int, _ output: Tensor?, _ states: [Tensor]) throws -> Void
    ) throws {
        guard count > 0 else { return }
        let first = try window(0)
        let steps = first.input.shape[0]
        let (isFirst, isLast) = (grid.place.stage == 0, grid.place.stage == grid.layout.stages - 1)
        try StreamOfWindows<RecurrentStage>.run(
            count, chunks: max(1, (steps + chunkLength - 1) / chunkLength), on: grid, transfers
        ) { [self] index, carried in
            let (input, states) = try index == 0 ? first : window(index)
            let (steps, rows) = (input.shape[0], input.shape[1])
            let next = beginState(batchSize: rows)
            let received = isFirst ? input : Tensor(uninitialized: [steps, rows, stack.outputSize], dtype: stack.dtype)
            let stage = try RecurrentStage(
                stack, layers: layers, input: received, rows: 0..<rows,
                initial: states ?? carried ?? beginState(batchSize: rows), final: next, leaves: .whole(rows: rows),
                random: nil, recordsGradients: false, shard: shard)
            return (stage, next)
        } ended: { index, stage, states in
            try ended(index, isLast ? stage.output : nil, states)
        }
    }

    /// Takes the chunk length that runs a stream of windows of a size fastest, by a short trial of each: shorter chunks let
    /// the next stage begin earlier, which counts once in a stream; longer ones make larger input products and fewer
    /// messages, and read weights that no cache holds less often, which counts in every window. Collective over the ranks
    /// of a replica.
    ///
    /// - Parameters:
    ///   - windows: Length of the stream; 1 is a window on its own.
    ///   - seconds: Time per candidate. All take turns, at least two unless they are longer than that; the best counts.
    /// - Throws: `CommError` of the transport.
    /// - Precondition: windows ≥ 1.
    public func probeChunkLength(steps: Int, batchSize: Int, windows: Int = 8, seconds: Double = 0.3) throws {
        require(windows >= 1, "RecurrentPipeline: expected a stream of at least 1 window, got \(windows)")
        let width = grid.place.stage == 0 ? stack.directions[0].inputWeight.shape[1] : stack.outputSize
        let input = Tensor(zeros: [steps, batchSize, width], dtype: stack.dtype)
        // A window in so many chunks.
        let candidates = Set([2, 3, 4, 6, 12, 24, 48, 96].map { max(1, steps / $0) }).sorted()
        // Of a stream of three: until the end of the first, and of the last.
        let trial = 3
        var best = candidates.map { _ in (first: Double.infinity, all: Double.infinity) }
        var rounds = 1
        var round = 0
        while round < rounds {
            for (place, candidate) in candidates.enumerated() {
                chunkLength = candidate
                var watch = StopWatch()
                var first = 0.0
                try stream(trial, window: { _ in (input, nil) }) { index, _, _ in if index == 0 { first = watch.lap() }
                }
                let rest = watch.lap()
                // The slowest rank decides; asking for it is also where all begin the next together.
                best[place].first = min(best[place].first, try agreed(first))
                best[place].all = min(best[place].all, try agreed(first + rest))
            }
            if round == 0, let slowest = best.map(\.all).max(), slowest < seconds {
                rounds = max(2, min(100, Int(seconds / max(slowest, 1e-6))))
            }
            round += 1
        }
        let stream = best.map { best in
            best.first + Double(windows - 1) * (best.all - best.first) / Double(trial - 1)
        }
        chunkLength = candidates[stream.indices.min { stream[$0] < stream[$1] } ?? 0]
    }

    /// The largest of the ranks' values, on all.
    private func agreed(_ value: Double) throws(CommError) -> Double {
        var largest = value
        for group in [grid.stageGroup, grid.shardGroup] {
            largest = try group.allGather(largest).max() ?? largest
        }
        return largest
    }
}
