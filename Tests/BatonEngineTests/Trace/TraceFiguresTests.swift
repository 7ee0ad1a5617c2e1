import BatonComm
import BatonMPITestSupport
import Testing

@testable import BatonEngine

/// The figures of made-up traces.
@Suite(.enabled(if: !TestWorld.isUnderMPI)) struct TraceFiguresTests {
    private func event(
        _ track: TraceEvent.Track, _ activity: TraceEvent.Activity, _ milliseconds: Range<Int64>
    ) -> TraceEvent {
        TraceEvent(
            track, activity, step: 1, start: milliseconds.lowerBound * 1_000_000,
            end: milliseconds.upperBound * 1_000_000)
    }

    private func trace(_ layout: ParallelLayout) -> RunTrace {
        let first = ScheduleAction(.forward, stage: 0)
        let events = [
            event(.compute, .action(first), 0..<40), event(.messages, .phase(.sends), 30..<90),
            event(.wait, .arrival(ScheduleAction(.backward, stage: 1)), 40..<50),
            event(.wait, .phase(.sends), 50..<52),
            event(.wait, .action(ScheduleAction(.gradientSum, stage: 0)), 52..<57),
            event(.wait, .phase(.gradients), 57..<60), event(.wait, .phase(.loss), 60..<70),
            event(.compute, .phase(.update), 70..<100), event(.step, .phase(.step), 0..<100),
        ]
        let idle = [event(.wait, .phase(.norm), 0..<100), event(.step, .phase(.step), 0..<100)]
        return RunTrace(
            layout: layout,
            ranks: [events, idle].enumerated().map {
                RunTrace.Rank(place: layout.place(ofRank: $0), events: $1)
            })
    }

    @Test func waitingIsForStagesOrForSums() {
        let figures = TraceFigures(trace(ParallelLayout(stages: 2)))
        let rank = figures.ranks[0]
        // Of 100 ms: 12 for messages, 8 for sums of gradients, and the loss, for which stages wait for each other.
        #expect(abs(rank.computeShare - 0.70) < 1e-12)
        #expect(abs(rank.bubbleShare - 0.22) < 1e-12)
        #expect(abs(rank.exposedShare - 0.08) < 1e-12)
        #expect(abs(figures.ranks[1].bubbleShare - 1) < 1e-12)
        #expect(abs(figures.all.bubbleShare - 0.61) < 1e-12 && abs(figures.all.exposedShare - 0.04) < 1e-12)
    }

    @Test func withoutStagesTheLossIsASumToo() {
        let figures = TraceFigures(trace(ParallelLayout(replicas: 2)))
        #expect(abs(figures.ranks[0].bubbleShare - 0.12) < 1e-12)
        #expect(abs(figures.ranks[0].exposedShare - 0.18) < 1e-12)
        #expect(TraceFigures(RunTrace(layout: ParallelLayout(), ranks: [])).all.bubbleShare == 0)
    }

    /// Who runs rows of a shared output layer instead of waiting does not wait; within an action they change nothing.
    @Test func rowsOfTheOutputLayerAreWork() {
        var trace = trace(ParallelLayout(stages: 2))
        let output = ScheduleAction(.output, stage: 0)
        trace.ranks[0].events += [event(.output, .action(output), 30..<38), event(.output, .action(output), 42..<47)]
        let rank = TraceFigures(trace).ranks[0]
        #expect(abs(rank.computeShare - 0.75) < 1e-12 && abs(rank.bubbleShare - 0.17) < 1e-12)
        #expect(abs(rank.exposedShare - 0.08) < 1e-12)
    }

    @Test func eventsComeBackFromTheirNumbers() throws {
        let action = ScheduleAction(.weightGradient, stage: 3, microBatch: 5, chunk: 7)
        for event in [
            TraceEvent(.compute, .action(action), step: 9, start: 1, end: 1 << 40),
            TraceEvent(.wait, .arrival(action), step: 9, start: -5, end: 2),
            TraceEvent(.sums, .phase(.hash), step: 1, start: 0, end: 0),
            TraceEvent(
                .output, .action(ScheduleAction(.output, stage: 1, microBatch: 2, chunk: 3)), step: 4, start: 5, end: 6),
        ] {
            #expect(try TraceEvent(words: event.words[...]) == event)
        }
        #expect(throws: CommError.self) { try TraceEvent(words: [99 << 32, 0, 0, 0, 0, 0, 0, 0][...]) }
        #expect(TraceEvent(.wait, .arrival(action), step: 1, start: 0, end: 0).name == "wait for 3W5")
    }

    @Test func aFullTraceCountsWhatItDrops() {
        let clock = ContinuousClock.now
        let trace = StepTrace(steps: 1, eventsPerStep: 2, clock: AlignedClock(origin: clock, offset: 70))
        #expect(trace.begin(step: 4) != nil)
        for _ in 0..<3 {
            trace.record(.compute, .phase(.forward), from: clock, to: clock.advanced(by: .nanoseconds(30)))
        }
        #expect(trace.events.map(\.start) == [70, 70] && trace.events.map(\.end) == [100, 100])
        #expect(trace.events[0].step == 4 && trace.dropped == 1)
        trace.end(from: clock, to: clock)
        #expect(trace.begin(step: 5) == nil)
    }
}
