public import BatonComm

/// The traces of all ranks, in the time of rank 0.
public struct RunTrace: Sendable {
    /// What one rank did.
    public struct Rank: Sendable {
        /// Coordinates of the rank.
        public var place: ParallelLayout.Place
        /// In the order of the ends.
        public var events: [TraceEvent]
        /// Events there was no room for.
        public var dropped: Int

        /// All values at once.
        public init(place: ParallelLayout.Place, events: [TraceEvent], dropped: Int = 0) {
            self.place = place
            self.events = events
            self.dropped = dropped
        }
    }

    /// How the ranks divide the work.
    public var layout: ParallelLayout
    /// In rank order.
    public var ranks: [Rank]

    /// All values at once.
    public init(layout: ParallelLayout, ranks: [Rank]) {
        self.layout = layout
        self.ranks = ranks
    }

    /// Brings the traces of all ranks to rank 0; nil on the others. Collective.
    init?(gathering trace: StepTrace, on grid: ProcessGrid) throws(CommError) {
        let (world, layout) = (grid.world, grid.layout)
        let own = UnsafeMutableBufferPointer<Int64>.allocate(capacity: trace.events.count * TraceEvent.wordCount)
        defer { own.deallocate() }
        _ = own.initialize(fromContentsOf: trace.events.flatMap(\.words))
        let heads = try world.allGather([trace.events.count, trace.dropped])
        // A group of its own, so that the events never meet other messages.
        let group = try world.duplicate()
        group.waitLimit = world.waitLimit
        guard group.rank == 0 else {
            try group.immediateSend(UnsafeRawBufferPointer(own), to: 0, tag: 0).wait(limit: group.waitLimit)
            return nil
        }
        self.layout = layout
        ranks = [Rank(place: layout.place(ofRank: 0), events: trace.events, dropped: trace.dropped)]
        for peer in 1..<max(1, group.size) {
            let (eventCount, dropped) = (heads[peer][0], heads[peer][1])
            let words = UnsafeMutableBufferPointer<Int64>.allocate(capacity: eventCount * TraceEvent.wordCount)
            defer { words.deallocate() }
            words.initialize(repeating: 0)
            try group.immediateReceive(into: UnsafeMutableRawBufferPointer(words), from: peer, tag: 0)
                .wait(limit: group.waitLimit)
            let all = Array(words)
            var events: [TraceEvent] = []
            for start in stride(from: 0, to: all.count, by: TraceEvent.wordCount) {
                events.append(try TraceEvent(words: all[start..<start + TraceEvent.wordCount]))
            }
            ranks.append(Rank(place: layout.place(ofRank: peer), events: events, dropped: dropped))
        }
    }
}
