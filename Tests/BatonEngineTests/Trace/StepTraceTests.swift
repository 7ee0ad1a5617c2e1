import BatonComm
import BatonMPITestSupport
import Testing

@testable import BatonEngine

/// Traces of real steps in every layout of the test's world; launch/test runs this under mpirun with 1 to 4 ranks.
@Suite(.serialized) struct StepTraceTests {
    @Test(arguments: ScheduleKind.allCases)
    func everyActionIsInEveryStepOnceAndTimesNest(schedule: ScheduleKind) throws {
        let world = try TestWorld.communicator()
        for layout in TinyRun.layouts(ranks: world.size, layers: 4) {
            let trainer = try TinyRun.trainer(
                TinyRun.configuration(layers: 4), grid: ProcessGrid(layout, world: world), schedule: schedule)
            _ = try trainer.step()
            try trainer.beginTrace(steps: 3)
            for _ in 0..<4 { _ = try trainer.step() }
            let trace = try trainer.endTrace()
            #expect((trace == nil) == (world.rank > 0))
            guard let trace else { continue }
            #expect(trace.layout == layout && trace.ranks.count == world.size)
            for (rank, part) in trace.ranks.enumerated() {
                #expect(part.dropped == 0 && part.place == layout.place(ofRank: rank))
                #expect(Set(part.events.map(\.step)) == [2, 3, 4])
                for step in 2...4 {
                    check(part.events.filter { $0.step == step }, expected(of: trainer), part.place, rank)
                }
            }
        }
    }

    /// What ranks do in a step; nil where they hold the whole model. Shards without stages run the three passes as actions.
    private func expected(of trainer: LanguageModelTrainer) -> PipelineSchedule? {
        let layout = trainer.grid.layout
        return trainer.schedule
            ?? (layout.shards > 1 ? .wavefront(stages: 1, chunks: 1, replicas: layout.replicas) : nil)
    }

    private func check(
        _ events: [TraceEvent], _ schedule: PipelineSchedule?, _ place: ParallelLayout.Place, _ rank: Int
    ) {
        let list = schedule.map { $0.ranks[place.replica * $0.shape.stages + place.stage] }
        let wholes = events.filter { $0.track == .step }
        #expect(wholes.count == 1)
        for track in TraceEvent.Track.allCases {
            let sorted = events.filter { $0.track == track }.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
            for (event, next) in zip(sorted, sorted.dropFirst()) {
                #expect(event.end <= next.start, "\(event.name) and \(next.name) of rank \(rank) overlap")
            }
            for event in sorted {
                #expect(event.start >= wholes[0].start && event.start <= event.end && event.end <= wholes[0].end)
            }
        }
        let actions = events.compactMap { event -> ScheduleAction? in
            if case .action(let action) = event.activity { action } else { nil }
        }
        #expect(actions == list ?? [])
        let arrivals = events.compactMap { event -> ScheduleAction? in
            if case .arrival(let source) = event.activity { source } else { nil }
        }
        #expect(
            arrivals
                == (schedule.map { schedule in
                    (list ?? []).compactMap { schedule.shape.message(neededBy: $0) }
                } ?? []))
        let phases = Set(
            events.compactMap { event -> TraceEvent.Phase? in
                if case .phase(let phase) = event.activity, event.track == .compute { phase } else { nil }
            })
        #expect(phases.isSuperset(of: schedule == nil ? [.forward, .backward, .norm, .update] : [.begin, .norm]))
        // Work and waiting do not go on at once.
        let busy = events.filter { $0.track == .compute || $0.track == .wait }.sorted { $0.start < $1.start }
        for (event, next) in zip(busy, busy.dropFirst()) { #expect(event.end <= next.start) }
    }

    /// Every stage's rows of a shared output layer are there chunk by chunk, within what the rank does or instead of
    /// waiting.
    @Test func rowsOfTheOutputLayerAreInTheTrace() throws {
        let world = try TestWorld.communicator()
        guard world.size > 1 else { return }
        let layout = ParallelLayout(stages: world.size)
        let configuration = try TinyRun.configuration(layers: 4)
        let trainer = try TinyRun.trainer(
            configuration, grid: ProcessGrid(layout, world: world), schedule: .gpipe, output: .spread)
        _ = try trainer.step()
        try trainer.beginTrace(steps: 1)
        _ = try trainer.step()
        let ended = try trainer.endTrace()
        guard world.rank == 0 else { return }
        let (trace, schedule) = (try #require(ended), try #require(trainer.schedule?.spreadingOutput()))
        let candidate = LayoutCandidate(layout, schedule: .gpipe, output: .spread)
        let rows = candidate.outputParts(of: configuration)
        for (rank, part) in trace.ranks.enumerated() {
            let outputs = part.events.filter { $0.track == .output }
            let actions = outputs.compactMap { event -> ScheduleAction? in
                if case .action(let action) = event.activity { action } else { nil }
            }
            // The last stage runs all chunks, those of which it has no rows in no time.
            let expected = schedule.ranks[rank].filter {
                $0.kind == .output && (rank + 1 == world.size || rows[rank][$0.microBatch].rows.count > 0)
            }
            #expect(Set(actions) == Set(expected) && actions.count == expected.count)
            for output in outputs {
                let around = part.events.filter {
                    ($0.track == .compute || $0.track == .wait) && $0.start <= output.start && output.end <= $0.end
                }
                #expect(around.count == 1, "\(output.name) of rank \(rank)")
            }
        }
    }

    /// A message arrives after it was made, in the time of rank 0.
    @Test func clocksAgreeToLessThanAMessageTakes() throws {
        let world = try TestWorld.communicator()
        let trainer = try TinyRun.trainer(
            TinyRun.configuration(layers: 4), grid: ProcessGrid(ParallelLayout(stages: world.size), world: world))
        _ = try trainer.step()
        try trainer.beginTrace(steps: 2)
        for _ in 0..<2 { _ = try trainer.step() }
        let ended = try trainer.endTrace()
        guard world.rank == 0 else { return }
        let trace = try #require(ended)
        #expect(trace.ranks.count == world.size)
        for (rank, part) in trace.ranks.enumerated() {
            for event in part.events {
                guard case .arrival(let source) = event.activity else { continue }
                let made = trace.ranks[source.stage].events.first {
                    $0.activity == .action(source) && $0.step == event.step
                }
                // The pings' error is half a round trip, which on a loaded machine is some tens of microseconds.
                #expect(event.end > (made?.end ?? .max) - 200_000, "\(event.name) of rank \(rank)")
            }
        }
    }
}
