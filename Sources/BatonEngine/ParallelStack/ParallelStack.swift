import BatonChecks
public import BatonComm
import BatonKernelABI
import BatonKernels
public import BatonNN
public import BatonTensor

/// A recurrent stack divided over the ranks of a layout, forward and backward: layers over pipeline stages (`pp`), the
/// directions of each layer over two ranks (`dir`), or the hidden units of a one-directional layer over ranks of one machine
/// (`shard`), rows of the batch over replicas (`dp`). The bits are those of one rank, whatever the layout.
///
/// Every rank makes the same stack, with values at least for the parameters it holds, and calls the same functions in
/// the same order. What a rank holds is its `share`; tensors are the rows and entries of that share:
///
/// | Value | Shape | Who |
/// |---|---|---|
/// | input and its gradient | (T, n, C), n rows of the share | ranks of the first stage; elsewhere T counts |
/// | output and its gradient | (T, n, D·R) | ranks of the last stage |
/// | states and their gradients | h (slots of the share, n, R) and, for LSTM, c (…, n, H) | every rank |
/// | gradients of parameters | as the parameters | ranks that hold them, the sum over the whole batch |
///
/// One-directional stacks run in chunks of time, so stages work on one sequence at once. A bidirectional layer needs the
/// whole sequence of the one below: there several stages are kept busy by cutting the batch into groups of leaves, and
/// by calls that follow each other, since no rank waits for the end of a call on another.
///
/// Ranks that divide units have the same share, and all have its results whole; outputs and gradients of inputs are in
/// memory they share, only to be read.
public final class ParallelStack {
    /// The stack; TNC.
    public let stack: RecurrentLayer
    /// The ranks.
    public let grid: ProcessGrid
    /// Rows of the global batch.
    public let batchSize: Int
    /// What this rank holds.
    public let share: StackShare
    /// Time steps that travel together from stage to stage of a one-directional stack; the same on all ranks.
    public var chunkLength: Int
    let sums: MicroBatchSums
    let transfers: StageTransfers
    let exchange: DirectionExchange?
    /// Of the hidden units.
    let shard: HiddenShard?
    /// Brings the rows of gradients to all shards; from the first pass that records.
    var gradientRows: GradientRows?
    /// Parameters of this rank, from the first pass that records.
    var arena: ParameterArena?
    /// Adds their gradients over replicas; nil of one.
    var sumOverReplicas: (() throws(CommError) -> Void)?
    /// Windows of the pass under way, or recorded.
    var windows: [any StageWindow] = []
    var shape = ScheduleShape(stages: 1)
    var walk = BackwardWalk()

    /// Divides a stack. Not collective.
    ///
    /// - Parameters:
    ///   - stack: TNC, the input width known.
    ///   - batchSize: Rows of the global batch, at least 1.
    ///   - leafCount: Leaves of the global batch; nil is as for one rank (`LeafPlan.whole`).
    ///   - chunkLength: At least 1.
    /// - Throws: `EngineError` if the layout does not fit; the same on every rank.
    public init(
        _ stack: RecurrentLayer, grid: ProcessGrid, batchSize: Int, leafCount: Int? = nil, chunkLength: Int = 8
    ) throws(EngineError) {
        require(
            stack.layout == .TNC && batchSize >= 1 && chunkLength >= 1,
            "ParallelStack: expected a TNC stack, at least one row and one step, got \(stack.layout), \(batchSize), \(chunkLength)"
        )
        let leafCount = leafCount ?? LeafPlan.leafCount(rows: batchSize)
        let layout = grid.layout
        share = try StackShare(stack, layout, place: grid.place, batchSize: batchSize, leafCount: leafCount)
        // Two groups of rows for every stage, but no more than there are leaves.
        var parts = 1
        while stack.bidirectional && layout.stages > 1 && parts < 2 * layout.stages
            && 2 * parts * layout.replicas <= leafCount
        { parts *= 2 }
        sums = MicroBatchSums(
            lanes: batchSize, leafCount: leafCount, replica: grid.place.replica, replicas: layout.replicas,
            microBatches: parts)
        (self.stack, self.grid, self.batchSize, self.chunkLength) = (stack, grid, batchSize, chunkLength)
        transfers = StageTransfers(grid.stageGroup)
        shard = try HiddenShard(grid)
        exchange = layout.directions == 2 ? DirectionExchange(grid.directionGroup, companion: transfers) : nil
    }

    /// The directions of layers this rank holds, in the order of its states.
    public var directions: [RecurrentDirection] { share.slots.map { stack.directions[$0] } }

    /// Zero states of this rank.
    public func beginState() -> [Tensor] {
        stack.stateWidths.map { width in
            Tensor(zeros: [share.slots.count, share.rows.count, width], dtype: stack.dtype)
        }
    }

    /// Runs one window. Collective over the ranks of a replica.
    ///
    /// - Parameters:
    ///   - input: See above.
    ///   - states: Before the window; nil is zero.
    ///   - lengths: Valid lengths of this replica's rows; nil is T for all.
    ///   - random: For dropout, its first row that of the global batch; nil is inference, which has none.
    ///   - recordsGradients: Whether `backward` will be called. Parameters then move into memory of this object.
    /// - Returns: The output on ranks of the last stage, nil elsewhere; states after the window.
    /// - Throws: `CommError` of the transport; `EngineError`, on every rank, if gradients are to be recorded of a parameter
    ///   whose requirement is not `write`.
    public func forward(
        _ input: Tensor, states: [Tensor]? = nil, lengths: [Int]? = nil, random: RandomKey? = nil,
        recordsGradients: Bool = false
    ) throws -> (output: Tensor?, states: [Tensor]) {
        if recordsGradients { try prepareGradients() }
        let steps = input.shape[0]
        let next = beginState()
        windows = try sums.shares.map { part in
            let rows = part.lanes.lowerBound - share.rows.lowerBound..<part.lanes.upperBound - share.rows.lowerBound
            var key = random
            key?.firstRow += UInt32(part.lanes.lowerBound)
            return try makeWindow(
                self.input(of: rows, from: input), rows: rows, initial: states, final: next,
                lengths: lengths.map { SequenceLengths(Array($0[rows]), steps: steps) }, leaves: part.leaves,
                random: key, recordsGradients: recordsGradients)
        }
        let stages = grid.layout.stages
        let chunks = stages == 1 || stack.bidirectional ? 1 : max(1, (steps + chunkLength - 1) / chunkLength)
        shape = ScheduleShape(stages: stages, microBatches: windows.count, chunks: chunks)
        let schedule = PipelineSchedule.inference(stages: stages, chunks: chunks, sequences: windows.count)
        _ = try ScheduleExecutor(schedule, rank: grid.place.stage).run(self, transfers)
        defer { if !recordsGradients { windows = [] } }
        return (isLast ? joined(windows.map(\.output)) : nil, next)
    }

    /// Whether the rank belongs to the first, and to the last stage.
    var isFirst: Bool { grid.place.stage == 0 }
    var isLast: Bool { grid.place.stage == grid.layout.stages - 1 }

    /// What the lowest layer of the rank reads of some rows: the given input, or where the stage below sends to.
    private func input(of rows: Range<Int>, from input: Tensor) -> Tensor {
        guard isFirst else {
            let width = share.directionCount * stack.outputSize
            return Tensor(uninitialized: [input.shape[0], rows.count, width], dtype: stack.dtype)
        }
        return rows == 0..<share.rows.count ? input : input.block(rows, axis: 1)
    }

    private func makeWindow(
        _ input: Tensor, rows: Range<Int>, initial: [Tensor]?, final: [Tensor], lengths: SequenceLengths?,
        leaves: LeafPlan, random: RandomKey?, recordsGradients: Bool
    ) throws(CommError) -> any StageWindow {
        if stack.bidirectional {
            return BidirectionalStage(
                stack, share: share, input: input, rows: rows, initial: initial, final: final, lengths: lengths,
                leaves: leaves, random: random, recordsGradients: recordsGradients, exchange: exchange)
        }
        return try RecurrentStage(
            stack, layers: share.layers, input: input, rows: rows, initial: initial, final: final, lengths: lengths,
            leaves: leaves, random: random, recordsGradients: recordsGradients, shard: shard)
    }

    /// The rows of all windows in one tensor.
    func joined(_ parts: [Tensor]) -> Tensor {
        if parts.count == 1 { return parts[0] }
        let whole = Tensor(
            uninitialized: [parts[0].shape[0], share.rows.count, parts[0].shape[2]], dtype: parts[0].dtype)
        var start = 0
        for part in parts {
            whole.copyBlock(from: part, axis: 1, sourceStart: 0, targetStart: start, count: part.shape[1])
            start += part.shape[1]
        }
        return whole
    }
}
