#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a process waits for its peers: it polls, because only polling moves messages, and when ranks have to share
/// cores it gives its core away after a short while.
public struct WaitPolicy: Sendable, Hashable {
    /// Time of pure polling before the first yield; nil to poll for ever (every rank has a core of its own).
    public var yieldsAfter: Duration?

    /// Polls for `yieldsAfter`, then yields the core between polls.
    public init(yieldsAfter: Duration?) { self.yieldsAfter = yieldsAfter }

    /// For a process with a core of its own.
    public static let spinning = WaitPolicy(yieldsAfter: nil)
    /// For more ranks than cores.
    public static let yielding = WaitPolicy(yieldsAfter: .microseconds(50))

    /// The right one for `ranks` processes on this machine, by the number of cores that are switched on: a rank may be
    /// bound to one, so those it may use itself say nothing of the others.
    public static func forRanks(_ ranks: Int) -> WaitPolicy {
        ranks > sysconf(Int32(_SC_NPROCESSORS_ONLN)) ? .yielding : .spinning
    }

    /// Starts the clock of one wait.
    public func begin() -> Wait { Wait(yieldsAfter: yieldsAfter) }

    /// One wait under way.
    public struct Wait {
        private let start = ContinuousClock.now
        private let yieldsAfter: Duration?
        private var isYielding = false
        private var polls = 0

        init(yieldsAfter: Duration?) { self.yieldsAfter = yieldsAfter }

        /// To be called after each unsuccessful poll: true when the wait has lasted longer than `limit`; may yield.
        public mutating func exceeds(_ limit: Duration) -> Bool {
            polls += 1
            // Reading the clock costs as much as a poll: while spinning, look only every sixteenth time.
            guard isYielding || polls % 16 == 0 else { return false }
            let elapsed = start.duration(to: .now)
            if elapsed > limit { return true }
            if let yieldsAfter, elapsed > yieldsAfter {
                isYielding = true
                sched_yield()
            }
            return false
        }
    }
}
