import BatonComm
import BatonKernelABI
import BatonTensor

/// The sum of gradients over all ranks during a backward pass: starts buckets as parameters become final, is polled
/// from the kernels' step hook, and ends with the total in the first arena.
final class DataParallelReduction {
    private let arena: ParameterArena
    private let buckets: GradientBuckets
    private let tree: GradientTree<Float>
    private var remaining: [Int]
    private var failure: CommError?

    /// - Parameters:
    ///   - gradients: flat, one for each subtree of this rank; nil is those of the arena.
    ///   - slots: the parameters that are summed; nil is all.
    ///   - firstTag: first of the message tags that the sum may use.
    init(
        _ arena: ParameterArena, gradients: [Tensor]? = nil, slots: Range<Int>? = nil, leafCount: Int,
        communicator: any Communicator, firstTag: Int = 0
    ) {
        self.arena = arena
        let gradients = gradients ?? arena.gradients
        buckets = GradientBuckets(arena, slots: slots)
        tree = GradientTree<Float>(
            arenas: gradients.map { $0.pointer(of: Float.self) }, buckets: buckets.ranges,
            leafCount: leafCount, communicator: communicator, owners: gradients.map(\.storage), firstTag: firstTag)
        remaining = buckets.slotCounts
    }

    /// Polls the transfers under way.
    var hook: StepHook { StepHook(function: PolledReduction.hookFunction, context: tree.hookContext) }

    /// The sum under way, for others that poll.
    var polled: PolledReduction { tree }

    /// To be called by the tape when the gradient of a parameter is final.
    func ready(_ parameter: Parameter) {
        guard failure == nil, let slot = arena.position(of: parameter), let bucket = buckets.bucket(ofSlot: slot)
        else { return }
        remaining[bucket] -= 1
        guard remaining[bucket] == 0 else { return }
        do throws(CommError) { try tree.start(bucket: bucket) } catch { failure = error }
    }

    /// Waits for the sums; afterwards the first arena holds the total. Collective.
    func finish() throws(CommError) {
        remaining = buckets.slotCounts
        if let failure { throw failure }
        try tree.finish()
    }
}
