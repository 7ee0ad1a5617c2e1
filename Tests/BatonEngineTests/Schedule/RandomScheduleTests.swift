import BatonMPITestSupport
import BatonTestSupport
import Testing

@testable import BatonEngine

/// Validator and simulator on thousands of schedules, sound and spoiled.
@Suite(.enabled(if: !TestWorld.isUnderMPI)) struct RandomScheduleTests {
    @Test func tenThousandGeneratedSchedulesRunUnderTheStrictestRendezvous() throws {
        var random = SeededRandom(seed: 1)
        for _ in 0..<10_000 {
            let schedule = RandomSchedule.generated(&random)
            try ScheduleValidator.validate(schedule)
            var costs = ScheduleSimulator.Costs()
            costs.forward = random.real(0.1...10)
            costs.backward = random.real(0.1...10)
            costs.weightGradient = random.real(0.1...10)
            costs.message = random.real(0...2)
            costs.output = random.real(0.1...10)
            costs.stages = (0..<schedule.shape.stages).map { _ in random.real(0.5...2) }
            // Orders found greedily may need all sends open at once, 1F1B two per neighbour, the others one.
            // And stages that share the output layer turn back at another moment than the last.
            let isGreedy =
                schedule.shape.microBatches > 1 && schedule.shape.chunks > 1 && schedule.shape.isTraining
                || schedule.shape.spreadsOutput
            let runsAhead = schedule.shape.microBatches > 1 && schedule.shape.isTraining
            let credit = isGreedy ? .max : random.integer(runsAhead ? 2...4 : 1...3)
            let outcome = try ScheduleSimulator(costs: costs, credit: credit).run(schedule)
            // No rank is faster than its own work, and nothing takes longer than all work and messages in a row.
            let messages = schedule.ranks.joined().reduce(0) { count, action in
                count + (schedule.shape.message(neededBy: action) == nil ? 0 : 1)
                    + schedule.shape.outputMessages(neededBy: action).count
            }
            // Messages received ahead never make it slower.
            let ahead = try ScheduleSimulator(costs: costs, credit: credit, lookahead: 2).run(schedule)
            #expect(ahead.makespan <= outcome.makespan + 1e-9)
            #expect(ahead.makespan >= (outcome.busy.max() ?? 0) - 1e-9)
            #expect(outcome.makespan >= (outcome.busy.max() ?? 0) - 1e-9)
            #expect(outcome.makespan <= outcome.busy.reduce(0, +) + Double(messages) * costs.message + 1e-9)
            #expect(outcome.times.map(\.count) == schedule.ranks.map(\.count))
        }
    }

    @Test func everyOrderThatMeetsAllNeedsIsAccepted() throws {
        var random = SeededRandom(seed: 2)
        for _ in 0..<1_000 {
            let schedule = RandomSchedule.anyOrder(&random)
            #expect(RandomSchedule.isSchedule(schedule))
            try ScheduleValidator.validate(schedule)
        }
    }

    /// Two actions of a rank change places: the validator refuses exactly those exchanges after which the lists no
    /// longer run, as the independent replay finds.
    @Test func swappedActionsAreRejectedExactlyWhenTheyBreakTheSchedule() throws {
        var random = SeededRandom(seed: 3)
        var rejected = 0
        for number in 0..<4_000 {
            var schedule =
                number % 2 == 0 ? RandomSchedule.generated(&random) : RandomSchedule.anyOrder(&random)
            let rank = random.integer(0...schedule.ranks.count - 1)
            let count = schedule.ranks[rank].count
            schedule.ranks[rank].swapAt(random.integer(0...count - 1), random.integer(0...count - 1))
            let isSound = RandomSchedule.isSchedule(schedule)
            if !isSound { rejected += 1 }
            if isSound {
                try ScheduleValidator.validate(schedule)
            } else {
                #expect(throws: ScheduleError.self) { try ScheduleValidator.validate(schedule) }
            }
        }
        #expect(rejected > 1_000)
    }

    @Test func dependentNeighboursThatChangePlacesAreNamed() throws {
        var schedule = PipelineSchedule.wavefront(stages: 2, chunks: 3)
        schedule.ranks[1].swapAt(0, 1)
        let error = #expect(throws: ScheduleError.self) { try ScheduleValidator.validate(schedule) }
        #expect(
            error?.message
                == "In the list of rank 1, place 0, 1F0.1 comes before 1F0.0, which it needs: >F0.1< F0.0 F0.2 B0.2 B0.1 B0.0 W0"
        )
    }

    /// What lacks, comes twice, or belongs elsewhere is refused in every case.
    @Test func droppedRepeatedAndForeignActionsAreRejected() throws {
        var random = SeededRandom(seed: 4)
        for number in 0..<3_000 {
            var schedule = RandomSchedule.generated(&random)
            let rank = random.integer(0...schedule.ranks.count - 1)
            let place = random.integer(0...schedule.ranks[rank].count - 1)
            switch number % 4 {
            case 0: schedule.ranks[rank].remove(at: place)
            case 1: schedule.ranks[rank].insert(schedule.ranks[rank][place], at: place)
            case 2: schedule.ranks[rank][place].stage += 1
            default: schedule.ranks[rank][place].chunk += schedule.shape.chunks
            }
            #expect(throws: ScheduleError.self) { try ScheduleValidator.validate(schedule) }
        }
    }

    /// Each rank's list is in order by itself, but they wait for each other.
    @Test func aCircleOfWaitingRanksIsNamed() throws {
        var schedule = PipelineSchedule.gPipe(stages: 2, microBatches: 2)
        // Stage 0 wants the gradient of micro-batch 0 before it has sent micro-batch 1, which stage 1 wants first.
        schedule.ranks[0] =
            [.forward, .backward, .weightGradient].map { ScheduleAction($0, stage: 0) }
            + [.forward, .backward, .weightGradient].map { ScheduleAction($0, stage: 0, microBatch: 1) }
        let error = #expect(throws: ScheduleError.self) { try ScheduleValidator.validate(schedule) }
        #expect(error?.message.contains("rank 0 stands before 0B0.0 and waits for 1B0.0") == true)
        #expect(error?.message.contains("rank 1 stands before 1F1.0 and waits for 0F1.0") == true)
    }

    @Test func aWrongNumberOfListsIsRejected() {
        var schedule = PipelineSchedule.wavefront(stages: 3, chunks: 2)
        schedule.ranks.removeLast()
        #expect(throws: ScheduleError.self) { try ScheduleValidator.validate(schedule) }
    }
}
