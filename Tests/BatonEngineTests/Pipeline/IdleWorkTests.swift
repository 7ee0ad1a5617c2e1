import BatonComm
import Testing

@testable import BatonEngine

@Suite struct IdleWorkTests {
    /// Counts what it is asked for, and has work a few times.
    private final class Companion: PolledReduction {
        var left = 2
        var polls = 0

        override func poll() throws(CommError) { polls += 1 }

        override func work() throws(CommError) -> Bool {
            left -= 1
            return left >= 0
        }
    }

    @Test func tasksAreDoneInOrderBeforeTheCompanionsWork() throws {
        let companion = Companion()
        let idle = IdleWork(companion: companion)
        var done: [Int] = []
        idle.begin((0..<3).map { number in { done.append(number) } })
        #expect(try idle.work() && done == [0])
        #expect(try idle.work() && idle.work() && done == [0, 1, 2] && companion.left == 2)
        #expect(try idle.work() && idle.work() && !idle.work())
        try idle.poll()
        #expect(companion.polls == 1)
    }

    @Test func whatIsLeftIsDoneWhenItsMomentHasCome() throws {
        let companion = Companion()
        let idle = IdleWork(companion: companion)
        var done: [Int] = []
        idle.begin((0..<4).map { number in { done.append(number) } })
        _ = try idle.work()
        idle.finish()
        #expect(done == [0, 1, 2, 3])
        idle.finish()
        idle.begin([{ done.append(9) }])
        idle.begin([])
        idle.finish()
        #expect(done == [0, 1, 2, 3] && companion.left == 2)
    }
}
