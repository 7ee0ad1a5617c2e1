import BatonComm

/// Where a pipeline that trains runs the output layer and the loss.
public enum OutputPlacement: String, Sendable, Hashable, CaseIterable {
    /// On the last stage, which alone holds the output layer.
    case lastStage
    /// On all stages: each holds the output layer and runs it for the lanes of its part of the leaves. h of these lanes
    /// travels to the stage, its gradient back.
    case spread

    /// What a number that travels costs, in multiply-adds: some nanoseconds to send, receive and copy it.
    private static let costOfMovedNumber = 64.0

    /// Whether the output layer can be spread: every rank must get a leaf.
    ///
    /// - Throws: `EngineError` naming the reason.
    func check(_ layout: ParallelLayout, leafCount: Int) throws(EngineError) {
        guard self == .spread else { return }
        guard layout.stages > 1, layout.shards == 1, layout.directions == 1,
            layout.replicas * layout.stages <= leafCount
        else {
            throw EngineError(
                "The output layer cannot be spread in the layout \(layout): that takes at least 2 stages, no shard or dir, and at most \(leafCount) ranks, one for every leaf."
            )
        }
    }

    /// Spread, if that makes the slowest stage faster by a tenth at least: per row and step a stage costs the
    /// multiply-adds of its layers and of its share of the output layer, and the last one the numbers that travel.
    ///
    /// - Throws: `EngineError` if there are more stages than layers.
    static func cheaper(
        _ model: LanguageModelConfiguration, _ layout: ParallelLayout, leafCount: Int
    ) throws(EngineError) -> OutputPlacement {
        let alone = try StagePartition(model, stages: layout.stages)
        guard (try? OutputPlacement.spread.check(layout, leafCount: leafCount)) != nil else { return .lastStage }
        let spread = StagePartition(costs: StagePartition.layerCosts(model), stages: layout.stages)
        let costs = StagePartition.layerCosts(model)
        let output = Double(model.vocabularySize) * Double(model.hidden)
        func layers(_ partition: StagePartition, _ stage: Int) -> Double { costs[partition.stages[stage]].reduce(0, +) }
        let last = layout.stages - 1
        let slowestAlone = (0...last).map { layers(alone, $0) + ($0 == last ? output : 0) }.max() ?? 0
        var slowestSpread = 0.0
        for replica in 0..<layout.replicas {
            let parts = (0...last).map { stage in
                Double(OutputParts.leaves(ofRank: replica * layout.stages + stage, layout, leafCount: leafCount).count)
            }
            let all = parts.reduce(0, +)
            for stage in 0...last {
                let moved = stage == last ? 2 * Double(model.hidden) * (all - parts[last]) / all : 0
                slowestSpread = max(
                    slowestSpread,
                    layers(spread, stage) + output * parts[stage] / all + Self.costOfMovedNumber * moved)
            }
        }
        return slowestSpread < 0.9 * slowestAlone ? .spread : .lastStage
    }
}
