import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// This rank's part of the hidden units of its layers, and its meetings with the ranks that hold the other parts.
///
/// A part needs all of h of the step before, and backward all gradients of the gates of the step after: the ranks meet
/// in the kernels' step hook, once per time step. What they exchange stands in memory they share, where it is computed.
final class HiddenShard: PolledReduction {
    /// The own part.
    let units: UnitShard
    private let workspace: SharedWorkspace
    /// Polls what else is under way.
    private var polling = StepHook.none
    /// Meetings since.
    private var unpolled = 0

    /// A poll costs as much as a meeting of ranks that are all there. So the first to come polls while it waits, and the
    /// last only now and then.
    private static let meetingsPerPoll = 4

    /// The part of a rank of a grid; nil where units are not divided.
    ///
    /// - Throws: `EngineError` if the kernels in use cannot divide units; on all ranks alike.
    init?(_ grid: ProcessGrid) throws(EngineError) {
        guard let workspace = grid.shardWorkspace else { return nil }
        try Self.check(grid.layout)
        self.workspace = workspace
        units = UnitShard(index: grid.place.shard, count: grid.layout.shards)
        super.init()
    }

    /// Throws unless the kernels in use can divide units as the layout asks.
    static func check(_ layout: ParallelLayout) throws(EngineError) {
        guard layout.shards == 1 || KernelSelection.active.backend == .packed else {
            throw EngineError(
                "The layout \(layout) divides hidden units, which the \(KernelSelection.active.backend.rawValue) kernels do not do; leave out shard, or BATON_KERNELS."
            )
        }
    }

    /// Throws unless a stack's units can be divided as the layout asks.
    static func check(_ layout: ParallelLayout, _ stack: RecurrentLayer) throws(EngineError) {
        guard layout.shards > 1 else { return }
        try check(layout)
        guard stack.dtype == .float32 else {
            throw EngineError(
                "The layout \(layout) divides hidden units, which OpenBLAS, that computes layers of \(stack.dtype.rawValue), does not do; leave out shard."
            )
        }
        guard !stack.bidirectional else {
            throw EngineError(
                "The layout \(layout) divides the hidden units of a stack of two directions; divide the directions (dir=2) and leave out shard."
            )
        }
    }

    /// A step hook that meets the other parts, and polls. An error is thrown by the next `meet`.
    func stepHook(polling hook: StepHook) -> StepHook {
        polling = hook
        return self.hook
    }

    /// See `PolledReduction`: the meeting of a step.
    override func poll() throws(CommError) {
        unpolled += 1
        var polled = false
        let polling = polling
        try workspace.meet { () throws(CommError) in
            polling()
            polled = true
        }
        if !polled, unpolled >= Self.meetingsPerPoll {
            polling()
            polled = true
        }
        if polled { unpolled = 0 }
    }

    /// Meets the other parts once more, between passes.
    ///
    /// - Throws: `CommError` if one does not come, now or in a step before.
    func meet() throws(CommError) {
        try throwHookFailure()
        try poll()
    }

    /// Float tensors of some shapes in one block of shared memory, of unspecified content. Collective over the parts.
    func tensors(_ shapes: [[Int]]) throws(CommError) -> [Tensor] {
        try throwHookFailure()
        let sizes = shapes.map { ($0.reduce(4, *) + 63) / 64 * 64 }
        let polling = polling
        let block = try workspace.block(byteCount: sizes.reduce(0, +)) { () throws(CommError) in polling() }
        var start = 0
        return zip(shapes, sizes).map { shape, size in
            defer { start += size }
            return Tensor(
                in: UnsafeMutableRawBufferPointer(rebasing: block.bytes[start..<start + size]), owner: block,
                shape: shape)
        }
    }
}
