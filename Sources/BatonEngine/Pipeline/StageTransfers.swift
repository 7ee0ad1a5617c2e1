import BatonComm
import BatonKernelABI

/// The messages of one stage with its neighbours. They move while the kernels run, because the step hook polls.
///
/// A message belongs to the action that made it: its tag is the action's number within a step, so none can be taken for
/// another, and messages of one tag arrive in the order of the steps.
final class StageTransfers: PolledReduction {
    private let group: any Communicator
    /// Moved along with the messages.
    private let companion: PolledReduction?
    private var sends: [any Request] = []
    private var receives: [Int: any Request] = [:]

    /// - Parameter group: The stages of one replica, numbered by stage.
    init(_ group: any Communicator, companion: PolledReduction? = nil) {
        self.group = group
        self.companion = companion
        super.init()
    }

    /// To be given to kernels.
    var hook: StepHook { StepHook(function: PolledReduction.hookFunction, context: hookContext) }

    /// Starts to receive the result of an action of a neighbour.
    func expect(_ index: Int, from stage: Int, into bytes: UnsafeMutableRawBufferPointer) throws(CommError) {
        receives[index] = try group.immediateReceive(into: bytes, from: stage, tag: Self.tag(index))
    }

    /// Starts to send the result of an action; its memory stays as it is until `finishSends`.
    func send(_ index: Int, to stage: Int, _ bytes: UnsafeRawBufferPointer) throws(CommError) {
        sends.append(try group.immediateSend(bytes, to: stage, tag: Self.tag(index)))
        noteTransfers()
    }

    /// Waits for a message that was expected.
    func take(_ index: Int) throws(CommError) {
        try throwHookFailure()
        guard let request = receives.removeValue(forKey: index) else {
            preconditionFailure("StageTransfers: message \(index) was never expected")
        }
        var waiting = group.waitPolicy.begin()
        while try !request.test() {
            // Not the time of waiting is measured, but that without anything to do.
            if try companion?.work() == true {
                waiting = group.waitPolicy.begin()
                continue
            }
            try companion?.poll()
            if waiting.exceeds(group.waitLimit) {
                throw CommError(
                    .timeout,
                    "\(request.purpose) since \(group.waitLimit): the peer is late, stopped or somewhere else.")
            }
        }
    }

    /// Waits until at most so many sends are under way.
    func finishSends(downTo count: Int = 0) throws(CommError) {
        try throwHookFailure()
        while sends.count > count {
            try sends[0].wait(limit: group.waitLimit)
            sends.removeFirst()
        }
        noteTransfers()
    }

    private func noteTransfers() {
        if trace != nil { busy.note(isBusy: !sends.isEmpty, .messages, .sends, in: trace) }
    }

    override func poll() throws(CommError) {
        while let first = sends.first, try first.test() { sends.removeFirst() }
        noteTransfers()
        for request in receives.values { _ = try request.test() }
        try companion?.poll()
    }

    /// Actions of streams are numbered beyond the tags there are; messages of one tag keep their order.
    private static func tag(_ index: Int) -> Int { index % MessageTag.userRange.upperBound }
}
