import Baton

/// What one core can do at best, measured: nothing here is taken from data sheets.
enum CoreCeilings {
    /// Fused multiply-adds, operations per second, best of the given time.
    static func peak(seconds: Double = 0.1) -> Double {
        var repetitions = 1
        while repetitions < 1 << 20 {
            let start = ContinuousClock.now
            _ = FMAPeak.run(repetitions: repetitions)
            if BestTime.elapsed(since: start) >= 2e-4 { break }
            repetitions *= 2
        }
        let operations = FMAPeak.run(repetitions: repetitions)
        return Double(operations) / BestTime(over: seconds) { _ = FMAPeak.run(repetitions: repetitions) }.seconds
    }

    /// Bytes per second read from a buffer of that size, swept again and again; the better of the orders.
    static func readBandwidth(bytes: Int, seconds: Double = 0.1) -> Double {
        let sweep = ReadSweep(byteCount: bytes)
        let orders = ReadSweep.Order.allCases
        let times = orders.map { order in
            BestTime(over: seconds / Double(orders.count)) { sweep.run(order) }.seconds
        }
        return Double(sweep.byteCount) / (times.min() ?? .infinity)
    }
}
