/// Whether lists of actions are a schedule: every rank has each action of its stage exactly once, after those of the
/// same stage that it needs, and all ranks together come to the end.
public enum ScheduleValidator {
    /// - Throws: `ScheduleError` naming the first rank and action that are wrong, with the rank's list.
    public static func validate(_ schedule: PipelineSchedule) throws(ScheduleError) {
        let shape = schedule.shape
        guard schedule.ranks.count == shape.rankCount else {
            throw ScheduleError(
                "The schedule has lists for \(schedule.ranks.count) ranks where \(shape.replicas) replicas of \(shape.stages) stages are \(shape.rankCount)."
            )
        }
        for rank in schedule.ranks.indices { try checkList(schedule, rank: rank) }
        _ = try ScheduleSimulator().run(schedule)
    }

    private static func checkList(_ schedule: PipelineSchedule, rank: Int) throws(ScheduleError) {
        let shape = schedule.shape
        let list = schedule.ranks[rank]
        let stage = shape.stage(ofRank: rank)
        var isDone = [Bool](repeating: false, count: shape.indexCount)
        for (place, action) in list.enumerated() {
            guard action.stage == stage, let index = shape.index(of: action) else {
                throw error(schedule, rank, place, "\(action) is no action of stage \(stage)")
            }
            guard !isDone[index] else { throw error(schedule, rank, place, "\(action) comes a second time") }
            for need in shape.localNeeds(of: action) {
                guard let needed = shape.index(of: need), isDone[needed] else {
                    throw error(schedule, rank, place, "\(action) comes before \(need), which it needs")
                }
            }
            isDone[index] = true
        }
        guard list.count == shape.actionCount else {
            throw ScheduleError(
                "Rank \(rank) has \(list.count) actions where stage \(stage) has \(shape.actionCount); the first it lacks is \(missing(shape, stage: stage, isDone) ?? "none")."
            )
        }
    }

    private static func error(
        _ schedule: PipelineSchedule, _ rank: Int, _ place: Int, _ reason: String
    ) -> ScheduleError {
        let list = schedule.ranks[rank].enumerated()
            .map { $0 == place ? ">\($1.label)<" : $1.label }.joined(separator: " ")
        return ScheduleError("In the list of rank \(rank), place \(place), \(reason): \(list)")
    }

    private static func missing(_ shape: ScheduleShape, stage: Int, _ isDone: [Bool]) -> String? {
        for kind in ScheduleAction.Kind.allCases {
            for microBatch in 0..<shape.microBatches {
                for chunk in 0..<shape.chunks {
                    let action = ScheduleAction(kind, stage: stage, microBatch: microBatch, chunk: chunk)
                    if let index = shape.index(of: action), !isDone[index] { return action.description }
                }
            }
        }
        return nil
    }
}
