import BatonChecks

/// The delayed transfers of one communicator. Every `test` of any of its transfers starts those that are due, as any
/// call of a real transport moves all of its transfers.
final class DelayedTransfers {
    private struct Entry { weak var request: DelayedRequest? }
    private var entries: [Entry] = []

    func add(_ request: DelayedRequest) { entries.append(Entry(request: request)) }

    func startDue() {
        guard !entries.isEmpty else { return }
        entries.removeAll { $0.request?.startIfDue() ?? true }
    }
}

/// A transfer of the wrapped communicator, unspoiled.
final class WatchedRequest: Request {
    private let base: any Request
    private let delayed: DelayedTransfers

    init(_ base: any Request, delayed: DelayedTransfers) {
        self.base = base
        self.delayed = delayed
    }

    var purpose: String { base.purpose }
    var waitPolicy: WaitPolicy { base.waitPolicy }

    func test() throws(CommError) -> Bool {
        delayed.startDue()
        return try base.test()
    }
}

/// A transfer that starts only after some time.
final class DelayedRequest: Request {
    let purpose: String
    let waitPolicy: WaitPolicy
    private let start: () throws(CommError) -> any Request
    private let due: ContinuousClock.Instant
    private let delayed: DelayedTransfers
    private var started: Result<any Request, CommError>?

    init(
        _ delay: Duration, purpose: String, waitPolicy: WaitPolicy, delayed: DelayedTransfers,
        start: @escaping () throws(CommError) -> any Request
    ) {
        self.purpose = purpose
        self.waitPolicy = waitPolicy
        self.delayed = delayed
        self.start = start
        due = ContinuousClock.now + delay
        delayed.add(self)
    }

    /// True once it has been started.
    func startIfDue() -> Bool {
        if started == nil, ContinuousClock.now >= due {
            do throws(CommError) { started = .success(try start()) } catch { started = .failure(error) }
        }
        return started != nil
    }

    func test() throws(CommError) -> Bool {
        delayed.startDue()
        guard let started else { return false }
        return try started.get().test()
    }
}

/// A transfer that never starts: as a send it claims to be done, as a receive it never ends.
final class LostRequest: Request {
    let purpose: String
    let waitPolicy: WaitPolicy
    private let isSend: Bool
    private let delayed: DelayedTransfers

    init(isSend: Bool, purpose: String, waitPolicy: WaitPolicy, delayed: DelayedTransfers) {
        self.isSend = isSend
        self.purpose = purpose
        self.waitPolicy = waitPolicy
        self.delayed = delayed
    }

    func test() throws(CommError) -> Bool {
        delayed.startDue()
        return isSend
    }
}

/// A send of a spoiled copy, which it owns.
final class CorruptedSend: Request {
    private let copy: UnsafeMutableRawBufferPointer
    private let delayed: DelayedTransfers
    private var sending: (any Request)?
    let purpose: String
    let waitPolicy: WaitPolicy

    init(
        _ bytes: UnsafeRawBufferPointer, place: Int, delayed: DelayedTransfers,
        start: (UnsafeRawBufferPointer) throws(CommError) -> any Request
    ) throws(CommError) {
        require(!bytes.isEmpty && place >= 0, "FaultPlan: cannot corrupt byte \(place) of \(bytes.count)")
        copy = .allocate(byteCount: bytes.count, alignment: 16)
        copy.copyMemory(from: bytes)
        copy[place % bytes.count] ^= 0xFF
        self.delayed = delayed
        do {
            let request = try start(UnsafeRawBufferPointer(copy))
            (sending, purpose, waitPolicy) = (request, request.purpose, request.waitPolicy)
        } catch {
            copy.deallocate()
            throw error
        }
    }

    deinit {
        // The transfer lets go of the copy first.
        sending = nil
        copy.deallocate()
    }

    func test() throws(CommError) -> Bool {
        delayed.startDue()
        return try sending?.test() ?? true
    }
}
