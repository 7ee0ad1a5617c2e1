import BatonData
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct LaneWindowsTests {
    /// One lane's inputs and targets over an epoch, gathered window by window for a range of lanes.
    private func gather(_ windows: LaneWindows, lanes: Range<Int>) -> (inputs: [[Int32]], targets: [[Int32]]) {
        var inputs = [[Int32]](repeating: [], count: lanes.count)
        var targets = inputs
        // The same memory for all windows, as a trainer has it.
        let input = Tensor(uninitialized: [windows.steps, lanes.count], dtype: .int32)
        let target = Tensor(uninitialized: [windows.steps, lanes.count], dtype: .int32)
        for window in 0..<windows.windowsPerEpoch {
            let steps = windows.stepCount(ofWindow: window)
            input.pointer(of: Int32.self).update(repeating: -1, count: input.count)
            target.pointer(of: Int32.self).update(repeating: -1, count: target.count)
            windows.fill(
                window: window, lanes: lanes, inputs: input[leading: 0..<steps], targets: target[leading: 0..<steps])
            let (x, y) = (input.elements(as: Int32.self), target.elements(as: Int32.self))
            for step in 0..<steps {
                for lane in 0..<lanes.count {
                    inputs[lane].append(x[step * lanes.count + lane])
                    targets[lane].append(y[step * lanes.count + lane])
                }
            }
            #expect(x[(steps * lanes.count)...].allSatisfy { $0 == -1 })
        }
        return (inputs, targets)
    }

    static let sizes: [(tokens: Int, lanes: Int, steps: Int)] = [
        (2, 1, 1), (3, 2, 1), (10, 3, 3), (101, 4, 5), (100, 4, 5), (257, 7, 9), (1000, 64, 4), (97, 1, 96),
        (98, 1, 96),
        (500, 13, 38),
    ]

    /// Property: the lanes one after another are the sequence, and the targets are the sequence one token later.
    @Test(arguments: sizes) func windowsOfAllLanesReproduceTheCorpus(size: (tokens: Int, lanes: Int, steps: Int)) throws
    {
        let tokens = (0..<Int32(size.tokens)).map { $0 &* 7 }
        let windows = try LaneWindows.evaluation(tokens: tokens, lanes: size.lanes, steps: size.steps)
        let (inputs, targets) = gather(windows, lanes: 0..<size.lanes)
        let used = windows.laneLength * size.lanes
        #expect(inputs.flatMap { $0 } == Array(tokens[..<used]))
        #expect(targets.flatMap { $0 } == Array(tokens[1...used]))
        #expect(windows.targetsPerEpoch == used)
        // Nothing but the division's remainder is left over.
        #expect(size.tokens - 1 - used < size.lanes)
    }

    @Test(arguments: sizes) func trainingWindowsAreTheFullOnesOfEvaluation(size: (tokens: Int, lanes: Int, steps: Int))
        throws
    {
        let tokens = Array(0..<Int32(size.tokens))
        let training = try LaneWindows(tokens: tokens, lanes: size.lanes, steps: size.steps, tail: .dropped)
        let all = gather(try .evaluation(tokens: tokens, lanes: size.lanes, steps: size.steps), lanes: 0..<size.lanes)
        let (inputs, targets) = gather(training, lanes: 0..<size.lanes)
        let length = training.windowsPerEpoch * size.steps
        #expect(inputs == all.inputs.map { Array($0.prefix(length)) })
        #expect(targets == all.targets.map { Array($0.prefix(length)) })
        #expect(training.targetsPerEpoch == length * size.lanes)
        #expect(training.laneLength - length < size.steps)
    }

    /// Property: however the lanes are dealt to ranks, also unevenly and with ranks that have none, the ranks together
    /// hold what one rank holds.
    @Test(arguments: 1...6) func lanesOfTheRanksUniteToTheWhole(ranks: Int) throws {
        let lanes = 13
        let windows = try LaneWindows(tokens: Array(0..<1000), lanes: lanes, steps: 8, tail: .dropped)
        let whole = gather(windows, lanes: 0..<lanes)
        for skew in [1, 3] {
            let bounds = (0...ranks).map { rank in
                rank == ranks ? lanes : lanes * (rank / skew * skew) / ranks
            }
            let parts = zip(bounds, bounds.dropFirst()).map { gather(windows, lanes: $0..<$1) }
            #expect(parts.flatMap(\.inputs) == whole.inputs)
            #expect(parts.flatMap(\.targets) == whole.targets)
        }
    }

    @Test func aWindowIsTimeMajor() throws {
        let windows = try LaneWindows(tokens: Array(0..<13), lanes: 2, steps: 3, tail: .dropped)
        let inputs = Tensor(zeros: [3, 2], dtype: .int32)
        let targets = Tensor(zeros: [3, 2], dtype: .int32)
        windows.fill(window: 1, lanes: 0..<2, inputs: inputs, targets: targets)
        #expect(inputs.elements(as: Int32.self) == [3, 9, 4, 10, 5, 11])
        #expect(targets.elements(as: Int32.self) == [4, 10, 5, 11, 6, 12])
    }

    @Test func tooFewTokensAreRefusedWithBothNumbers() throws {
        _ = try LaneWindows(tokens: Array(0..<(8 * 16 + 1)), lanes: 8, steps: 16, tail: .dropped)
        let error = #expect(throws: DataError.self) {
            try LaneWindows(tokens: Array(0..<(8 * 16)), lanes: 8, steps: 16, tail: .dropped)
        }
        #expect(error?.code == .tooShort)
        #expect(error?.message.contains(" 128 ") == true && error?.message.contains(" 129;") == true)
        _ = try LaneWindows.evaluation(tokens: Array(0..<9), lanes: 8, steps: 16)
        #expect(throws: DataError.self) { try LaneWindows.evaluation(tokens: Array(0..<8), lanes: 8, steps: 16) }
        #expect(throws: DataError.self) { try LaneWindows.evaluation(tokens: [], lanes: 1, steps: 1) }
        #expect(throws: DataError.self) { try LaneWindows(tokens: [1, 2], lanes: .max, steps: .max, tail: .dropped) }
        #expect(throws: DataError.self) { try LaneWindows(tokens: [1, 2], lanes: .max, steps: 1, tail: .kept) }
        for (lanes, steps) in [(0, 1), (1, 0), (-1, 1)] {
            let range = #expect(throws: DataError.self) {
                try LaneWindows(tokens: [1, 2], lanes: lanes, steps: steps, tail: .dropped)
            }
            #expect(range?.code == .outOfRange)
        }
    }

    @Test func tensorsOfAnotherShapeAreAProgrammersMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let windows = try LaneWindows(tokens: Array(0..<13), lanes: 2, steps: 3, tail: .dropped)
            let wrong = Tensor(zeros: [2, 3], dtype: .int32)
            windows.fill(window: 0, lanes: 0..<2, inputs: wrong, targets: wrong)
        }
        #expect(
            Complaint.missing(
                "LaneWindows: shape [2, 3] where (T, N) = [3, 2] is expected", in: result?.standardErrorContent) == nil)
    }
}
