import BatonChecks
import BatonKernels
import BatonNN
import BatonTensor

/// Contiguous layers for every stage of a pipeline.
public struct StagePartition: Sendable, Hashable {
    /// Layers of each stage, none empty.
    public let stages: [Range<Int>]

    /// The cut that makes the slowest stage as fast as can be; of equally good ones, that with the earliest borders.
    ///
    /// - Parameters:
    ///   - costs: Of every layer, in any unit.
    ///   - stages: P.
    /// - Precondition: 1 ≤ P ≤ number of layers.
    public init(costs: [Double], stages count: Int) {
        require(
            count >= 1 && count <= costs.count, "StagePartition: \(count) stages for \(costs.count) layers")
        var sums = [0.0]
        for cost in costs { sums.append(sums[sums.count - 1] + cost) }
        // slowest[s][l]: the best maximum when the first l layers are cut into s + 1 stages; border[s][l]: where the
        // last of them begins.
        var slowest = [Array(sums)]
        var border = [[Int](repeating: 0, count: sums.count)]
        for stage in 1..<max(count, 1) {
            var best = [Double](repeating: .infinity, count: sums.count)
            var at = [Int](repeating: 0, count: sums.count)
            for end in stage + 1..<sums.count {
                for start in stage..<end {
                    let candidate = max(slowest[stage - 1][start], sums[end] - sums[start])
                    if candidate < best[end] { (best[end], at[end]) = (candidate, start) }
                }
            }
            slowest.append(best)
            border.append(at)
        }
        var stages: [Range<Int>] = []
        var end = costs.count
        for stage in (0..<count).reversed() {
            let start = stage == 0 ? 0 : border[stage][end]
            stages.append(start..<end)
            end = start
        }
        self.stages = stages.reversed()
    }

    /// Multiply-adds of the layers per row and step.
    static func layerCosts(_ model: LanguageModelConfiguration) -> [Double] {
        let gateRows = Double(model.cell.gateCount * model.hidden)
        return (0..<model.layers).map { layer in
            gateRows * Double((layer == 0 ? model.embedding : model.hidden) + model.hidden)
        }
    }

    /// The stages of a language model, by the products of their layers; an output layer that is not spread counts to the
    /// last one.
    ///
    /// - Throws: `EngineError` if there are more stages than layers.
    public init(
        _ model: LanguageModelConfiguration, stages count: Int, output: OutputPlacement = .lastStage
    ) throws(EngineError) {
        guard count <= model.layers else {
            throw EngineError(
                "\(count) pipeline stages do not fit a model of \(counted(model.layers, "recurrent layer")); use at most pp=\(model.layers) or more layers."
            )
        }
        var costs = Self.layerCosts(model)
        if output == .lastStage { costs[costs.count - 1] += Double(model.vocabularySize) * Double(model.hidden) }
        self.init(costs: costs, stages: count)
    }

    /// The stages of a recurrent stack, by the parameters of its layers.
    ///
    /// - Throws: `EngineError` if there are more stages than layers.
    init(_ stack: RecurrentLayer, stages count: Int) throws(EngineError) {
        guard count <= stack.numLayers else {
            throw EngineError(
                "pp=\(count) does not fit a stack of \(counted(stack.numLayers, "layer")); use at most pp=\(stack.numLayers)."
            )
        }
        var costs = [Double](repeating: 0, count: stack.numLayers)
        for direction in stack.directions {
            for parameter in direction.parameters { costs[direction.layer] += Double(parameter.count) }
        }
        self.init(costs: costs, stages: count)
    }

    /// The stage that holds a layer.
    public func stage(ofLayer layer: Int) -> Int {
        guard let stage = stages.firstIndex(where: { $0.contains(layer) }) else {
            fatalError("StagePartition: no layer \(layer) in \(stages)")
        }
        return stage
    }
}
