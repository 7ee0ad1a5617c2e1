/// A transfer that starts only after some time.
final class DelayedRequest: Request {
    let purpose: String
    let waitPolicy: WaitPolicy
    private let start: () throws(CommError) -> any Request
    private let due: ContinuousClock.Instant
    private var started: (any Request)?

    init(
        _ delay: Duration, purpose: String, waitPolicy: WaitPolicy, start: @escaping () throws(CommError) -> any Request
    ) {
        self.purpose = purpose
        self.waitPolicy = waitPolicy
        self.start = start
        due = ContinuousClock.now + delay
    }

    func test() throws(CommError) -> Bool {
        if let started { return try started.test() }
        guard ContinuousClock.now >= due else { return false }
        let request = try start()
        started = request
        return try request.test()
    }
}

/// A transfer that never starts: as a send it claims to be done, as a receive it never ends.
final class LostRequest: Request {
    let purpose: String
    let waitPolicy: WaitPolicy
    private let finished: Bool

    init(finished: Bool, purpose: String, waitPolicy: WaitPolicy) {
        self.finished = finished
        self.purpose = purpose
        self.waitPolicy = waitPolicy
    }

    func test() throws(CommError) -> Bool { finished }
}

/// A send of a spoiled copy, which it owns.
final class CorruptedSend: Request {
    private let copy: UnsafeMutableRawBufferPointer
    private var sending: (any Request)?

    init(
        _ bytes: UnsafeRawBufferPointer, place: Int,
        start: (UnsafeRawBufferPointer) throws(CommError) -> any Request
    ) throws(CommError) {
        precondition(!bytes.isEmpty && place >= 0, "FaultPlan: cannot corrupt byte \(place) of \(bytes.count)")
        copy = .allocate(byteCount: bytes.count, alignment: 16)
        copy.copyMemory(from: bytes)
        copy[place % bytes.count] ^= 0xFF
        do {
            sending = try start(UnsafeRawBufferPointer(copy))
        } catch {
            copy.deallocate()
            throw error
        }
    }

    deinit {
        sending = nil
        copy.deallocate()
    }

    var purpose: String { sending?.purpose ?? "" }
    var waitPolicy: WaitPolicy { sending?.waitPolicy ?? .spinning }

    func test() throws(CommError) -> Bool { try sending?.test() ?? true }
}
