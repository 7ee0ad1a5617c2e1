import BatonComm
import BatonKernelABI
import BatonTensor

/// The sum of gradients over all ranks during a backward pass: starts buckets as parameters, or rows of large ones,
/// become final, is polled from the kernels' step hook, and ends with the total in the first arena.
final class DataParallelReduction {
    private let arena: ParameterArena
    private let base: UnsafeRawPointer
    let buckets: GradientBuckets
    private let tree: GradientTree<Float>
    /// Elements of every bucket that are not final.
    private(set) var remaining: [Int]
    /// Elements of every slot that are final, counted from its first.
    private var finalCounts: [Int]
    private var failure: CommError?

    /// - Parameters:
    ///   - gradients: flat, one for each subtree of this rank; nil is those of the arena.
    ///   - slots: the parameters that are summed; nil is all.
    ///   - firstTag: first of the message tags that the sum may use.
    ///   - targetBytes: size of a bucket; nil is that of `GradientBuckets`.
    init(
        _ arena: ParameterArena, gradients: [Tensor]? = nil, slots: Range<Int>? = nil, leafCount: Int,
        communicator: any Communicator, firstTag: Int = 0, targetBytes: Int? = nil
    ) {
        self.arena = arena
        let gradients = gradients ?? arena.gradients
        base = UnsafeRawPointer(gradients[0].rawPointer)
        buckets = GradientBuckets(arena, slots: slots, targetBytes: targetBytes)
        tree = GradientTree<Float>(
            gradients, buckets: buckets.ranges, leafCount: leafCount, communicator: communicator, firstTag: firstTag)
        remaining = buckets.counts
        finalCounts = Array(repeating: 0, count: arena.slots.count)
    }

    /// Polls the transfers under way, and starts those of rows that a kernel has finished. The tape passes the latter on
    /// only where no other node adds to them.
    var hook: StepHook {
        StepHook(
            function: { context in
                guard let context else { return }
                Unmanaged<DataParallelReduction>.fromOpaque(context).takeUnretainedValue().tree.pollFromHook()
            },
            finishedFunction: { context, memory, byteCount in
                guard let context else { return }
                Unmanaged<DataParallelReduction>.fromOpaque(context).takeUnretainedValue()
                    .finished(memory, byteCount: byteCount)
            },
            context: Unmanaged.passUnretained(self).toOpaque())
    }

    /// The sum under way, for others that poll.
    var polled: PolledReduction { tree }

    /// To be called by the tape when the gradient of a parameter is final.
    func ready(_ parameter: Parameter) {
        guard let slot = arena.position(of: parameter) else { return }
        advance(slot, to: arena.slots[slot].range.count)
    }

    /// Some memory of the first gradient is final in all of them; memory of others is passed over.
    private func finished(_ memory: UnsafeRawPointer, byteCount: Int) {
        let stride = MemoryLayout<Float>.stride
        let first = (memory - base) / stride
        guard memory >= base, let slot = arena.slots.firstIndex(where: { $0.range.contains(first) }) else { return }
        // Rows come in ascending order; should one be missing, the parameter is taken as a whole when it is ready.
        let start = first - arena.slots[slot].range.lowerBound
        guard start == finalCounts[slot] else { return }
        advance(slot, to: min(start + byteCount / stride, arena.slots[slot].range.count))
    }

    private func advance(_ slot: Int, to count: Int) {
        guard failure == nil, buckets.slots.contains(slot) else { return }
        let first = arena.slots[slot].range.lowerBound
        let elements = first + finalCounts[slot]..<first + max(count, finalCounts[slot])
        finalCounts[slot] = max(count, finalCounts[slot])
        for bucket in buckets.buckets(meeting: elements) {
            remaining[bucket] -= elements.clamped(to: buckets.ranges[bucket]).count
            guard remaining[bucket] == 0 else { continue }
            do throws(CommError) { try tree.start(bucket: bucket) } catch {
                failure = error
                return
            }
        }
    }

    /// Waits for the sums; afterwards the first arena holds the total. Collective.
    func finish() throws(CommError) {
        remaining = buckets.counts
        for slot in finalCounts.indices { finalCounts[slot] = 0 }
        if let failure { throw failure }
        try tree.finish()
    }
}
