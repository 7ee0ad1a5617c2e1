import BatonComm
import BatonKernelABI
import BatonTensor

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
    /// Messages that have not come yet, in the order they are needed.
    private var coming: [Int] = []

    /// Messages that are looked for between time steps. Two, so that the next one's transfer begins while one is under
    /// way; later ones cannot come much before, and every look costs a fraction of a microsecond.
    private static let looksAhead = 2

    /// - Parameter group: The stages of one replica, numbered by stage.
    init(_ group: any Communicator, companion: PolledReduction? = nil) {
        self.group = group
        self.companion = companion
        super.init()
    }

    /// Starts to receive the result of an action of a neighbour.
    func expect(_ index: Int, from stage: Int, into bytes: UnsafeMutableRawBufferPointer) throws(CommError) {
        receives[index] = try group.immediateReceive(into: bytes, from: stage, tag: Self.tag(index))
        coming.append(index)
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
            fatalError("StageTransfers: message \(index) was never expected")
        }
        defer { if let place = coming.firstIndex(of: index) { coming.remove(at: place) } }
        try wait(for: request)
    }

    /// Tells the stage before that a window of a stream has ended here.
    func giveLeave(to stage: Int) throws(CommError) {
        sends.append(try group.immediateSend(Self.nothing, to: stage, tag: Self.leaveTag))
    }

    /// Waits until the stage after has told so once more.
    func takeLeave(from stage: Int) throws(CommError) {
        try throwHookFailure()
        try wait(
            for: try group.immediateReceive(
                into: UnsafeMutableRawBufferPointer(mutating: Self.nothing), from: stage, tag: Self.leaveTag))
    }

    private func wait(for request: any Request) throws(CommError) {
        var waiting = group.waitPolicy.begin()
        while try !request.test() {
            // Not the time of waiting is measured, but that without anything to do.
            if try companion?.work() == true {
                waiting = group.waitPolicy.begin()
                continue
            }
            try companion?.poll()
            if waiting.exceeds(group.waitLimit) { throw .timeout(request.purpose, since: group.waitLimit) }
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
        var place = 0
        while place < min(Self.looksAhead, coming.count) {
            if try receives[coming[place]]?.test() == false { place += 1 } else { coming.remove(at: place) }
        }
        try companion?.poll()
    }

    /// Actions of streams are numbered beyond the tags there are; messages of one tag keep their order.
    private static func tag(_ index: Int) -> Int { index % leaveTag }
    private static let leaveTag = MessageTag.userRange.upperBound - 3
    private static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
