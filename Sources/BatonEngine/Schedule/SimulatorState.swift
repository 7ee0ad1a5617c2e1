/// How far the ranks of a simulated schedule have come.
struct SimulatorState {
    private let schedule: PipelineSchedule
    private let simulator: ScheduleSimulator
    private var shape: ScheduleShape { schedule.shape }
    /// Next place in each rank's list.
    private var places: [Int]
    private var free: [Double]
    private var times: [[Range<Double>]]
    /// Per rank, action index → end.
    private var ends: [[Double?]]
    /// Per rank and direction (0 forward, 1 backward) the moments at which sent messages moved, and how many were sent.
    private var moves: [[[Double]]]
    private var sent: [[Int]]
    /// Per rank the moments at which it was free for each action that needs a message of a neighbour.
    private var reached: [[Double]]
    private var live: [Int]
    private var peak: [Int]

    init(_ schedule: PipelineSchedule, _ simulator: ScheduleSimulator) {
        self.schedule = schedule
        self.simulator = simulator
        let (count, shape) = (schedule.ranks.count, schedule.shape)
        places = Array(repeating: 0, count: count)
        free = Array(repeating: 0, count: count)
        times = Array(repeating: [], count: count)
        ends = Array(
            repeating: Array(repeating: nil, count: shape.indexCount), count: count)
        reached = Array(repeating: [], count: count)
        moves = Array(repeating: [[], []], count: count)
        sent = Array(repeating: [0, 0], count: count)
        live = Array(repeating: 0, count: count)
        peak = live
    }

    var isFinished: Bool { places.indices.allSatisfy { places[$0] == schedule.ranks[$0].count } }

    /// Which action each unfinished rank stands before, and what that waits for.
    var waiting: String {
        places.indices.filter { places[$0] < schedule.ranks[$0].count }.map { rank in
            let action = schedule.ranks[rank][places[rank]]
            let reason =
                isBlockedByCredit(action, rank)
                ? "for room to send"
                : missing(action, rank).map { "for \($0)" } ?? "for the other replicas"
            return "rank \(rank) stands before \(action) and waits \(reason)"
        }.joined(separator: ", ")
    }

    var outcome: ScheduleSimulator.Outcome {
        ScheduleSimulator.Outcome(
            times: times, makespan: free.max() ?? 0,
            busy: times.map { $0.reduce(0) { $0 + $1.upperBound - $1.lowerBound } }, peakLiveChunks: peak)
    }

    /// The first result of another stage that an action waits for and that is not there.
    private func missing(_ action: ScheduleAction, _ rank: Int) -> ScheduleAction? {
        (shape.outputMessages(neededBy: action) + (shape.message(neededBy: action).map { [$0] } ?? [])).first {
            source in
            shape.index(of: source).map { ends[rank + source.stage - action.stage][$0] == nil } ?? true
        }
    }

    private static func direction(_ action: ScheduleAction) -> Int { action.kind == .forward ? 0 : 1 }

    private func isBlockedByCredit(_ action: ScheduleAction, _ rank: Int) -> Bool {
        guard shape.receiver(of: action) != nil else { return false }
        let direction = Self.direction(action)
        return sent[rank][direction] - moves[rank][direction].count >= simulator.credit
    }

    /// Runs the next action of a rank if what it needs is there.
    mutating func advance(_ rank: Int) -> Bool {
        guard places[rank] < schedule.ranks[rank].count else { return false }
        let action = schedule.ranks[rank][places[rank]]
        if action.kind == .gradientSum { return sumGradients(action, rank) }
        guard !isBlockedByCredit(action, rank), missing(action, rank) == nil else { return false }
        var start = free[rank]
        for source in shape.outputMessages(neededBy: action) {
            guard let index = shape.index(of: source), let end = ends[rank + source.stage - action.stage][index] else {
                return false
            }
            start = max(start, end + simulator.costs.message)
        }
        if let source = shape.message(neededBy: action), let index = shape.index(of: source) {
            let sender = rank + source.stage - action.stage
            guard let posted = ends[sender][index] else { return false }
            reached[rank].append(free[rank])
            let received = reached[rank][max(0, reached[rank].count - simulator.lookahead)]
            let moved = max(posted, received) + simulator.costs.message
            moves[sender][Self.direction(source)].append(moved)
            start = max(start, moved)
        }
        if shape.receiver(of: action) != nil {
            let direction = Self.direction(action)
            let open = sent[rank][direction] + 1 - simulator.credit
            if open > 0 { start = max(start, moves[rank][direction].sorted()[open - 1]) }
            sent[rank][direction] += 1
        }
        finish(action, rank, start)
        return true
    }

    /// All replicas' ranks of the stage have to be there.
    private mutating func sumGradients(_ action: ScheduleAction, _ rank: Int) -> Bool {
        let peers = stride(from: action.stage, to: shape.rankCount, by: shape.stages)
        guard
            peers.allSatisfy({
                places[$0] < schedule.ranks[$0].count && schedule.ranks[$0][places[$0]].kind == .gradientSum
            })
        else { return false }
        let start = peers.map { free[$0] }.max() ?? 0
        for peer in peers { finish(action, peer, start) }
        return true
    }

    private mutating func finish(_ action: ScheduleAction, _ rank: Int, _ start: Double) {
        let end = start + simulator.costs.of(action, chunks: shape.chunks)
        if let index = shape.index(of: action) { ends[rank][index] = end }
        times[rank].append(start..<end)
        free[rank] = end
        places[rank] += 1
        switch action.kind {
        case .forward where shape.isTraining: live[rank] += 1
        case .weightGradient: live[rank] -= shape.chunks
        default: break
        }
        peak[rank] = max(peak[rank], live[rank])
    }
}
