import Glibc

/// The best repetition of a piece of work: on a shared machine the fastest is the one least disturbed.
struct BestTime {
    /// Wall time of one repetition.
    private(set) var seconds: Double
    /// Share of that time in which the thread really ran. Below 1 other programs had the core, and the time says less
    /// about the work.
    private(set) var shareOnCore: Double
    /// Time the thread had a core in it.
    var secondsOnCore: Double { seconds * shareOnCore }

    /// A time that was measured.
    init(seconds: Double, shareOnCore: Double) {
        self.seconds = seconds
        self.shareOnCore = shareOnCore
    }

    /// Runs the work once unmeasured, then for `seconds` and at least three times.
    ///
    /// Work shorter than 0.2 ms is timed in groups of about that length, so that reading the clocks does not count.
    init(over seconds: Double, _ work: () -> Void) {
        work()
        let start = ContinuousClock.now
        // Reading the clocks can only make a single repetition look slower, so it may stand as the first best.
        self = BestTime(ofGroup: 1, work)
        let size = Self.groupSize(single: self.seconds)
        var groups = 1
        while groups < 3 || Self.elapsed(since: start) < seconds {
            let group = BestTime(ofGroup: size, work)
            if group.seconds < self.seconds { self = group }
            groups += 1
        }
    }

    private init(ofGroup size: Int, _ work: () -> Void) {
        let coreStart = Self.coreSeconds()
        let start = ContinuousClock.now
        for _ in 0..<size { work() }
        let wall = Self.elapsed(since: start)
        seconds = wall / Double(size)
        shareOnCore = min(1, (Self.coreSeconds() - coreStart) / max(wall, 1e-9))
    }

    /// Repetitions that are timed together when one takes `single` seconds.
    static func groupSize(single: Double) -> Int { max(1, Int((2e-4 / max(single, 1e-8)).rounded(.up))) }

    /// Seconds since an instant.
    static func elapsed(since start: ContinuousClock.Instant) -> Double {
        Double((ContinuousClock.now - start) / .nanoseconds(1)) * 1e-9
    }

    /// Time the calling thread has run.
    static func coreSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
