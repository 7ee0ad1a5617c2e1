import BatonChecks
import BatonComm
import BatonKernelABI
import BatonTensor

/// Swaps parts of tensors (T, N, W) with the rank that computes the other direction of the same layers, chunk by chunk
/// and while the kernels run, because the step hook polls.
///
/// Both ranks go through a window in the same chunks of steps; a step of the one is the mirrored time of the other, so
/// what comes first belongs to the times that this rank reaches last.
final class DirectionExchange: PolledReduction {
    /// A tensor whose parts are on their way.
    private struct Swap {
        var tensor: Tensor
        var sent: Range<Int>
        var received: Range<Int>
        var adds: Bool
        /// Steps in processing order, in the order in which they end.
        var chunks: [Range<Int>]
        /// The parts that leave and those that come, side by side: (T, N, columns).
        var outgoing: Tensor
        var landing: Tensor
        var sends: [any Request] = []
        var receives: [any Request] = []
        /// Chunks that have left, and that have come.
        var left = 0
        var arrived = 0
    }

    private let group: any Communicator
    /// Moved along with the messages.
    private let companion: PolledReduction?
    private var swap: Swap?
    private var stepsDone = 0
    /// Messages of one tag arrive in the order they were sent, so tags may come again.
    private var messages = 0

    /// - Parameter group: The two ranks, numbered by direction.
    init(_ group: any Communicator, companion: PolledReduction? = nil) {
        self.group = group
        self.companion = companion
        super.init()
    }

    /// Polls, and counts the steps of a forward pass: a chunk leaves when its last step has ended.
    var countingHook: StepHook {
        StepHook(
            function: { context in
                guard let context else { return }
                Unmanaged<DirectionExchange>.fromOpaque(context).takeUnretainedValue().stepEnded()
            }, context: hookContext)
    }

    /// Prepares to receive, and to send what will be ready.
    ///
    /// - Parameters:
    ///   - sends: Columns that leave.
    ///   - receives: Columns that come; the other rank sends as many.
    ///   - adds: Whether they are added when all steps have ended, or put in their places as they come.
    ///   - chunks: Steps in processing order, in the order in which they end; together all steps.
    func begin(
        _ tensor: Tensor, sends: Range<Int>, receives: Range<Int>, adds: Bool, chunks: [Range<Int>]
    ) throws(CommError) {
        require(swap == nil, "DirectionExchange: the swap before has not been finished")
        let (steps, rows) = (tensor.shape[0], tensor.shape[1])
        var next = Swap(
            tensor: tensor, sent: sends, received: receives, adds: adds, chunks: chunks,
            outgoing: Tensor(uninitialized: [steps, rows, sends.count], dtype: tensor.dtype),
            landing: Tensor(uninitialized: [steps, rows, receives.count], dtype: tensor.dtype))
        for chunk in chunks {
            next.receives.append(
                try group.immediateReceive(
                    into: next.landing[leading: times(chunk, of: steps, isOwn: false)].bytes, from: 1 - group.rank,
                    tag: (messages + next.receives.count) % MessageTag.userRange.upperBound))
        }
        swap = next
        stepsDone = 0
    }

    /// Sends the next chunk, whose steps have ended.
    func sendNext() throws(CommError) {
        guard var current = swap else { return }
        let chunk = times(current.chunks[current.left], of: current.tensor.shape[0], isOwn: true)
        let part = current.outgoing[leading: chunk]
        part.copyBlock(
            from: current.tensor[leading: chunk], axis: 2, sourceStart: current.sent.lowerBound, targetStart: 0,
            count: current.sent.count)
        current.sends.append(
            try group.immediateSend(
                UnsafeRawBufferPointer(part.bytes), to: 1 - group.rank,
                tag: (messages + current.left) % MessageTag.userRange.upperBound))
        current.left += 1
        swap = current
    }

    /// Waits until the parts of the other rank are in the tensor.
    func finish() throws(CommError) {
        try throwHookFailure()
        guard let started = swap else { return }
        require(
            started.left == started.chunks.count,
            "DirectionExchange: \(started.left) of \(started.chunks.count) chunks have been sent")
        var waiting = group.waitPolicy.begin()
        while try !advance() {
            try companion?.poll()
            if waiting.exceeds(group.waitLimit) {
                let open = swap.flatMap { $0.arrived < $0.receives.count ? $0.receives[$0.arrived] : $0.sends.first }
                throw .timeout(open?.purpose ?? "the other direction", since: group.waitLimit)
            }
        }
        if started.adds { started.tensor.addBlock(started.landing, axis: 2, targetStart: started.received.lowerBound) }
        messages += started.chunks.count
        swap = nil
    }

    override func poll() throws(CommError) {
        _ = try advance()
        try companion?.poll()
    }

    private func stepEnded() {
        guard hookFailure == nil else { return }
        stepsDone += 1
        do throws(CommError) {
            while let current = swap, current.left < current.chunks.count,
                current.chunks[current.left].upperBound <= stepsDone
            {
                try sendNext()
            }
            try poll()
        } catch {
            hookFailure = error
        }
    }

    /// Moves the messages on; true when all have come and gone.
    private func advance() throws(CommError) -> Bool {
        guard let current = swap else { return true }
        var (arrived, sends) = (current.arrived, current.sends)
        while arrived < current.receives.count, try current.receives[arrived].test() {
            if !current.adds {
                let chunk = times(current.chunks[arrived], of: current.tensor.shape[0], isOwn: false)
                current.tensor[leading: chunk].copyBlock(
                    from: current.landing[leading: chunk], axis: 2, sourceStart: 0,
                    targetStart: current.received.lowerBound, count: current.received.count)
            }
            arrived += 1
        }
        while let first = sends.first, try first.test() { sends.removeFirst() }
        if arrived != current.arrived { swap?.arrived = arrived }
        if sends.count != current.sends.count { swap?.sends = sends }
        return arrived == current.receives.count && sends.isEmpty && current.left == current.chunks.count
    }

    /// Times that steps of this rank, or of the other, handle.
    private func times(_ steps: Range<Int>, of count: Int, isOwn: Bool) -> Range<Int> {
        (group.rank == 1) == isOwn ? count - steps.upperBound..<count - steps.lowerBound : steps
    }
}
