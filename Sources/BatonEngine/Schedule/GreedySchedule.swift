/// Lists of actions found by running the stages with unit costs per chunk (weight gradients: K units), each taking the
/// most urgent action that is ready.
struct GreedySchedule {
    /// How far one stage has come.
    private struct Progress {
        /// Next chunk to run forward, per micro-batch, and the time at which the one before ended.
        var forward: [Int]
        /// Chunks still to run back, per micro-batch.
        var backward: [Int]
        var hasWeights: [Bool]
        var freeAt = 0
        var list: [ScheduleAction] = []
    }

    private let shape: ScheduleShape
    private var stages: [Progress]
    /// Time at which an action ends, by stage and `ScheduleShape.index`; not begun: `Int.max`.
    private var ends: [[Int]]

    init(_ shape: ScheduleShape) {
        self.shape = shape
        let (microBatches, chunks) = (shape.microBatches, shape.chunks)
        stages = Array(
            repeating: Progress(
                forward: Array(repeating: 0, count: microBatches),
                backward: Array(repeating: chunks, count: microBatches),
                hasWeights: Array(repeating: false, count: microBatches)),
            count: shape.stages)
        ends = Array(
            repeating: Array(repeating: Int.max, count: 2 * microBatches * chunks + microBatches),
            count: shape.stages)
    }

    /// The list of every stage.
    func lists() -> [[ScheduleAction]] {
        var copy = self
        copy.run()
        return copy.stages.map(\.list)
    }

    private mutating func run() {
        let total = (2 * shape.chunks + 1) * shape.microBatches
        var time = 0
        while stages.contains(where: { $0.list.count < total }) {
            // Results of this instant count from the next on, so the order of the stages does not matter.
            let chosen = stages.indices.map { stages[$0].freeAt <= time ? next(stage: $0, at: time) : nil }
            for case let action? in chosen { begin(action, at: time) }
            time += 1
        }
    }

    private func next(stage: Int, at time: Int) -> ScheduleAction? {
        let progress = stages[stage]
        let microBatches = 0..<shape.microBatches
        func action(_ kind: ScheduleAction.Kind, _ microBatch: Int, _ chunk: Int = 0) -> ScheduleAction {
            ScheduleAction(kind, stage: stage, microBatch: microBatch, chunk: chunk)
        }
        let forward = microBatches.filter { progress.forward[$0] < shape.chunks }
            .map { action(.forward, $0, progress.forward[$0]) }
        let backward = microBatches.filter { progress.forward[$0] == shape.chunks && progress.backward[$0] > 0 }
            .map { action(.backward, $0, progress.backward[$0] - 1) }
        let weights = microBatches.filter { progress.backward[$0] == 0 && !progress.hasWeights[$0] }
            .map { action(.weightGradient, $0) }
        // The last stage turns each micro-batch round at once; the others first feed the stages above.
        let candidates = (stage + 1 == shape.stages ? backward + forward : forward + backward) + weights
        return candidates.first { isReady($0, at: time) }
    }

    private func isReady(_ action: ScheduleAction, at time: Int) -> Bool {
        let needs = shape.localNeeds(of: action) + (shape.message(neededBy: action).map { [$0] } ?? [])
        return needs.allSatisfy { need in shape.index(of: need).map { ends[need.stage][$0] <= time } ?? false }
    }

    private mutating func begin(_ action: ScheduleAction, at time: Int) {
        guard let index = shape.index(of: action) else { return }
        let end = time + (action.kind == .weightGradient ? shape.chunks : 1)
        ends[action.stage][index] = end
        stages[action.stage].freeAt = end
        stages[action.stage].list.append(action)
        switch action.kind {
        case .forward: stages[action.stage].forward[action.microBatch] += 1
        case .backward: stages[action.stage].backward[action.microBatch] -= 1
        case .weightGradient: stages[action.stage].hasWeights[action.microBatch] = true
        case .gradientSum, .output: break
        }
    }
}
