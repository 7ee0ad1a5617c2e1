public import BatonComm

/// A clock whose times can be compared with those of rank 0, also on another host.
///
/// Rank 0 asks each rank for its time and takes the middle between question and answer as the moment the answer was
/// given; of many questions the one with the shortest round trip counts, so the error is at most half of that. Source:
/// Cristian 1989, doi:10.1007/BF01784024.
public struct AlignedClock: Sendable {
    /// Where this rank's times begin.
    let origin: ContinuousClock.Instant
    /// To be added to this rank's times, nanoseconds.
    let offset: Int64

    /// Questions to every rank: enough that one of them meets nobody else on the way.
    private static let questions = 64
    private static let tag = 1

    init(origin: ContinuousClock.Instant, offset: Int64) {
        self.origin = origin
        self.offset = offset
    }

    /// Aligns the clocks of all ranks. Collective.
    ///
    /// - Throws: `CommError` of the transport.
    public init(_ world: any Communicator) throws(CommError) {
        let origin = ContinuousClock.now
        self.origin = origin
        // A group of its own, so that questions never meet other messages.
        let group = try world.duplicate()
        group.waitLimit = world.waitLimit
        let numbers = UnsafeMutableBufferPointer<Int64>.allocate(capacity: 1)
        numbers.initialize(repeating: 0)
        defer { numbers.deallocate() }
        let bytes = UnsafeMutableRawBufferPointer(numbers)
        let message = UnsafeRawBufferPointer(bytes)
        if group.rank == 0 {
            for peer in 1..<max(1, group.size) {
                var best: (trip: Int64, offset: Int64) = (.max, 0)
                for _ in 0..<Self.questions {
                    let asked = Self.nanoseconds(from: origin, to: .now)
                    try group.immediateSend(message, to: peer, tag: Self.tag).wait(limit: group.waitLimit)
                    try group.immediateReceive(into: bytes, from: peer, tag: Self.tag).wait(limit: group.waitLimit)
                    let answered = Self.nanoseconds(from: origin, to: .now)
                    let trip = answered - asked
                    if trip < best.trip { best = (trip, asked + trip / 2 - numbers[0]) }
                }
                numbers[0] = best.offset
                try group.immediateSend(message, to: peer, tag: Self.tag).wait(limit: group.waitLimit)
            }
            offset = 0
        } else {
            for _ in 0..<Self.questions {
                try group.immediateReceive(into: bytes, from: 0, tag: Self.tag).wait(limit: group.waitLimit)
                numbers[0] = Self.nanoseconds(from: origin, to: .now)
                try group.immediateSend(message, to: 0, tag: Self.tag).wait(limit: group.waitLimit)
            }
            try group.immediateReceive(into: bytes, from: 0, tag: Self.tag).wait(limit: group.waitLimit)
            offset = numbers[0]
        }
    }

    /// Now, in seconds since rank 0 made its clock.
    public var seconds: Double { Double(Self.nanoseconds(from: origin, to: .now) + offset) * 1e-9 }

    static func nanoseconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = (end - start).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
