import BatonTestSupport

@testable import BatonEngine

/// Schedules nobody designed, and an independent judge of them.
enum RandomSchedule {
    /// One of the generators with random counts.
    static func generated(_ random: inout SeededRandom) -> PipelineSchedule {
        let plain = withoutOutput(&random)
        return plain.shape.isTraining && random.integer(0...2) == 0 ? plain.spreadingOutput() : plain
    }

    private static func withoutOutput(_ random: inout SeededRandom) -> PipelineSchedule {
        let stages = random.integer(1...8)
        let replicas = random.integer(1...3)
        switch random.integer(0...4) {
        case 0:
            return .gPipe(stages: stages, microBatches: random.integer(1...8), replicas: replicas)
        case 1:
            return .oneForwardOneBackward(stages: stages, microBatches: random.integer(1...8), replicas: replicas)
        case 2: return .wavefront(stages: stages, chunks: random.integer(1...16), replicas: replicas)
        case 3:
            return .wavefront(
                stages: stages, chunks: random.integer(1...6), microBatches: random.integer(2...4), replicas: replicas)
        default:
            return .inference(
                stages: stages, chunks: random.integer(1...8), sequences: random.integer(1...4), replicas: replicas)
        }
    }

    /// Any order in which all needs are met: again and again some rank takes some action that is ready.
    static func anyOrder(_ random: inout SeededRandom) -> PipelineSchedule {
        var shape = ScheduleShape(
            stages: random.integer(1...5), microBatches: random.integer(1...3), chunks: random.integer(1...5),
            replicas: random.integer(1...2))
        shape.spreadsOutput = random.integer(0...2) == 0
        var open = (0..<shape.rankCount).map { actions(shape, stage: shape.stage(ofRank: $0)) }
        var ranks: [[ScheduleAction]] = Array(repeating: [], count: shape.rankCount)
        var done: Set<String> = []
        while open.contains(where: { !$0.isEmpty }) {
            let ready = open.indices.flatMap { rank in
                open[rank].indices.filter { place in
                    // Sums come last, so that no rank waits in one for a message of a rank that has not got there.
                    open[rank][place].kind == .gradientSum
                        ? open.allSatisfy { $0.allSatisfy { $0.kind == .gradientSum } }
                        : needs(open[rank][place], shape).allSatisfy { done.contains("\(rank / shape.stages) \($0)") }
                }.map { (rank, $0) }
            }
            let (rank, place) = ready[random.integer(0...ready.count - 1)]
            let action = open[rank].remove(at: place)
            ranks[rank].append(action)
            done.insert("\(rank / shape.stages) \(action)")
        }
        return PipelineSchedule(shape: shape, ranks: ranks)
    }

    /// Whether the lists run to their end: a replay that knows the rules of the network only, by name.
    static func isSchedule(_ schedule: PipelineSchedule) -> Bool {
        let shape = schedule.shape
        for (rank, list) in schedule.ranks.enumerated() {
            let expected = actions(shape, stage: shape.stage(ofRank: rank))
            guard list.count == expected.count, Set(list) == Set(expected) else { return false }
        }
        var places = [Int](repeating: 0, count: schedule.ranks.count)
        var done: Set<String> = []
        func next(_ rank: Int) -> ScheduleAction? {
            places[rank] < schedule.ranks[rank].count ? schedule.ranks[rank][places[rank]] : nil
        }
        var moved = true
        while moved {
            moved = false
            for rank in places.indices {
                guard let action = next(rank) else { continue }
                let (replica, stage) = (rank / shape.stages, rank % shape.stages)
                var isReady = needs(action, shape).allSatisfy { done.contains("\(replica) \($0)") }
                if action.kind == .gradientSum {
                    let peers = (0..<shape.replicas).map { $0 * shape.stages + stage }
                    isReady =
                        isReady && peers.allSatisfy { next($0)?.kind == .gradientSum || done.contains("sum \($0)") }
                    if isReady { done.insert("sum \(rank)") }
                }
                if isReady {
                    done.insert("\(replica) \(action)")
                    places[rank] += 1
                    moved = true
                }
            }
        }
        return places.indices.allSatisfy { places[$0] == schedule.ranks[$0].count }
    }

    private static func actions(_ shape: ScheduleShape, stage: Int) -> [ScheduleAction] {
        var result: [ScheduleAction] = []
        for m in 0..<shape.microBatches {
            for k in 0..<shape.chunks {
                result.append(ScheduleAction(.forward, stage: stage, microBatch: m, chunk: k))
                if shape.isTraining { result.append(ScheduleAction(.backward, stage: stage, microBatch: m, chunk: k)) }
                if shape.spreadsOutput {
                    result.append(ScheduleAction(.output, stage: stage, microBatch: m, chunk: k))
                }
            }
            if shape.isTraining { result.append(ScheduleAction(.weightGradient, stage: stage, microBatch: m)) }
        }
        if shape.isTraining && shape.replicas > 1 { result.append(ScheduleAction(.gradientSum, stage: stage)) }
        return result
    }

    /// The actions that must have ended before one, as printed.
    private static func needs(_ action: ScheduleAction, _ shape: ScheduleShape) -> [String] {
        let (s, m, k) = (action.stage, action.microBatch, action.chunk)
        let last = shape.chunks - 1
        switch action.kind {
        case .forward: return (s > 0 ? ["\(s - 1)F\(m).\(k)"] : []) + (k > 0 ? ["\(s)F\(m).\(k - 1)"] : [])
        case .backward:
            let above = s + 1 < shape.stages ? ["\(s + 1)B\(m).\(k)"] : []
            let outputs =
                shape.spreadsOutput && s + 1 == shape.stages ? (0...s).map { "\($0)O\(m).\(k)" } : []
            return above + outputs + ["\(s)F\(m).\(last)"] + (k < last ? ["\(s)B\(m).\(k + 1)"] : [])
        case .output: return ["\(shape.stages - 1)F\(m).\(k)"] + (k > 0 ? ["\(s)O\(m).\(k - 1)"] : [])
        case .weightGradient: return ["\(s)B\(m).0"] + (shape.spreadsOutput ? ["\(s)O\(m).\(last)"] : [])
        case .gradientSum: return (0..<shape.microBatches).map { "\(s)W\($0)" }
        }
    }
}

extension SeededRandom {
    mutating func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func real(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &self) }
}
