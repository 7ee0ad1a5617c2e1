import BatonComm
import BatonKernels

/// The memory of the tensors and workspaces a rank keeps in training, the rank that needs the most.
///
/// H′, I′, V′ are sizes padded to whole vectors, G gates, k saved gates (and c), S shards, N rows of a micro-batch.
///
/// | Part | Floats |
/// |---|---|
/// | parameters, moments | 1, and 2 for Adam, for each parameter |
/// | packed weights | of the own units G·H′/S·(I + H) and (I′ + H′)/S·G·H; of the output layer V′·H and H′·V |
/// | gradients | 1 for each parameter and partial sum, with the others' parts that land here |
/// | shards | two places for the largest recurrent parameter, where ranks bring its rows together |
/// | a layer, for each row and step | k·H′ + 16 and c; the packed factors I′ + H′ of the weight gradient; h, its gradient, and h again after dropout |
/// | a layer that computes its gates again | as `Recomputation` says, instead of gates, c and factors |
/// | the lowest layer, besides | x·W of each token, of at most half of the rows |
/// | a layer, besides | left factors and partial sums of the weight gradient; states before and after, and their gradients |
/// | embedding | its output and the gradient of it |
/// | output layer | logits' gradient, logits (of a chunk, where there are stages), and the packed factor h; spread, only of the own rows, with h and its gradient |
struct MemoryForecast {
    let configuration: TrainingConfiguration
    /// With the place of its output layer.
    let candidate: LayoutCandidate
    /// nil where a rank holds the whole model.
    let schedule: PipelineSchedule?
    /// nil keeps the gates.
    let recomputation: Recomputation?
    /// Elements of a vector.
    var lanes = KernelSelection.laneCount

    /// Of the rank that needs the most.
    ///
    /// - Throws: `EngineError` if there are more stages than layers.
    func bytes() throws(EngineError) -> Double {
        let layout = candidate.layout
        let partition = try StagePartition(
            configuration.model, stages: layout.stages, output: candidate.output ?? .lastStage)
        var largest = 0.0
        for (stage, layers) in partition.stages.enumerated() {
            for replica in 0..<layout.replicas {
                let place = ParallelLayout.Place(replica: replica, stage: stage)
                largest = max(largest, parameterFloats(layers, place) + windowFloats(layers, place))
            }
        }
        return 4 * largest
    }

    /// Bytes that the ranks of a shard share, at most, of the stage that needs the most: h, gates and the gradient of the
    /// input of a window, and places for gradients.
    ///
    /// - Throws: `EngineError` if there are more stages than layers.
    func sharedBytes() throws(EngineError) -> Double {
        let (model, steps) = (configuration.model, configuration.stepsPerWindow)
        let partition = try StagePartition(model, stages: candidate.layout.stages)
        var largest = 0.0
        for layers in partition.stages {
            let lanes = shares(ParallelLayout.Place()).shares.reduce(0) { $0 + $1.lanes.count }
            let shape = RecurrentShape(
                cell: model.cell, inputChains: [inputSize(layers.lowerBound)], hidden: model.hidden)
            let perRow = layers.count * (shape.gateRowStride(lanes: self.lanes) + model.hidden)
            let window = steps * lanes * (perRow + shape.inputSize) + layers.count * lanes * 4 * model.hidden
            // A block is up to a quarter larger than what is asked for.
            largest = max(largest, 1.25 * Double(window) + sharedFloats(layers))
        }
        return 4 * largest
    }

    private var isSpread: Bool { candidate.output == .spread }
    private var microBatches: Int { schedule?.shape.microBatches ?? 1 }

    private func padded(_ size: Int) -> Int { (size + lanes - 1) / lanes * lanes }

    /// Of the part of the units that has the most.
    private func own(_ units: Int) -> Int {
        let (strips, shards) = (padded(units) / lanes, candidate.layout.shards)
        return (strips + shards - 1) / shards * lanes
    }

    /// Lanes and leaves of every micro-batch of a replica.
    private func shares(_ place: ParallelLayout.Place) -> MicroBatchSums {
        MicroBatchSums(
            lanes: configuration.batch, leafCount: configuration.leafCount, replica: place.replica,
            replicas: candidate.layout.replicas, microBatches: microBatches)
    }

    private func outputParts(_ place: ParallelLayout.Place) -> OutputParts {
        OutputParts(
            lanes: configuration.batch, leafCount: configuration.leafCount, layout: candidate.layout, place: place,
            microBatches: microBatches)
    }

    private func runsOutput(_ layers: Range<Int>) -> Bool {
        isSpread || layers.upperBound == configuration.model.layers
    }

    /// What the lowest of some layers reads.
    private func inputSize(_ layer: Int) -> Int {
        layer == 0 ? configuration.model.embedding : configuration.model.hidden
    }

    /// What does not depend on the window.
    private func parameterFloats(_ layers: Range<Int>, _ place: ParallelLayout.Place) -> Double {
        let model = configuration.model
        var held = model.parameterCount(layers: layers)
        var gradients = shares(place).gradientCount
        if isSpread {
            if layers.upperBound < model.layers { held += model.outputParameterCount }
            gradients = max(gradients, outputParts(place).sums.gradientCount)
        }
        let moments = configuration.optimizer == .sgd ? (configuration.momentum > 0 ? 1.0 : 0) : 2
        let output = runsOutput(layers) ? model.outputParameterCount : 0
        // The ranks of a sum by their place in it.
        let (replicas, all) = (candidate.layout.replicas, candidate.layout.replicas * candidate.layout.stages)
        let landing =
            (isSpread ? held - output : held) * landingShare(place.replica, of: replicas)
            + (isSpread ? output * landingShare(place.replica * candidate.layout.stages + place.stage, of: all) : 0)
        return held * (1 + moments + Double(gradients)) + landing + packedFloats(layers) + sharedFloats(layers)
    }

    /// Of each gradient, what a rank receives of the others' partial sums.
    private func landingShare(_ rank: Int, of size: Int) -> Double {
        guard size > 1 else { return 0 }
        let nodes = TreeSumPlan(leafCount: configuration.leafCount, size: size).nodes
        return Double(nodes.count { $0.rank != rank }) / Double(size)
    }

    private func packedFloats(_ layers: Range<Int>) -> Double {
        let model = configuration.model
        var floats = 0
        for layer in layers {
            let width = inputSize(layer) + model.hidden
            floats += model.cell.gateCount * own(model.hidden) * width
            floats += (own(inputSize(layer)) + own(model.hidden)) * model.cell.gateCount * model.hidden
        }
        if runsOutput(layers) {
            floats += padded(model.vocabularySize) * model.hidden + padded(model.hidden) * model.vocabularySize
        }
        return Double(floats)
    }

    /// Where ranks that divide units bring the rows of their gradients together.
    private func sharedFloats(_ layers: Range<Int>) -> Double {
        guard candidate.layout.shards > 1 else { return 0 }
        let largest = configuration.model.largestRecurrentParameter(layers: layers)
        return Double(SharedWorkspace.capacity(8 * largest)) / 4
    }

    /// What a window in progress keeps, of all micro-batches.
    private func windowFloats(_ layers: Range<Int>, _ place: ParallelLayout.Place) -> Double {
        let model = configuration.model
        let (hidden, steps) = (Double(model.hidden), Double(configuration.stepsPerWindow))
        let shares = shares(place).shares
        let laneSum = shares.reduce(0) { $0 + $1.lanes.count }
        let rows = steps * Double(laneSum)
        var floats = 0.0
        for layer in layers {
            for share in shares { floats += kept(layer, share) }
            floats += rows * 2 * hidden + product(shares.map(\.leaves))
            floats += Double(laneSum * 2 * (model.stateCount + 1)) * hidden
            if model.dropout > 0, layer + 1 < model.layers { floats += rows * hidden * (schedule == nil ? 2 : 1) }
        }
        // What the lowest layer reads, and its gradient; tokens and targets.
        floats += rows * (2 * Double(inputSize(layers.lowerBound)) + 2)
        guard runsOutput(layers) else { return floats }
        let perRow =
            Double(model.vocabularySize) * (1 + 1 / Double(schedule?.shape.chunks ?? 1))
            + Double(padded(model.hidden)) / Double(microBatches)
        guard isSpread else { return floats + rows * perRow + product(shares.map(\.leaves)) }
        let parts = outputParts(place).parts[place.stage]
        let own = steps * Double(parts.reduce(0) { $0 + $1.rows.count })
        // The last stage has h and its gradient of everybody's rows once more.
        let copied = layers.upperBound == model.layers ? rows : own
        return floats + own * perRow + copied * 2 * hidden + product(parts.map(\.leaves))
    }

    /// What the product of a weight gradient works with besides its right factors.
    private func product(_ plans: [LeafPlan]) -> Double {
        Double(LeafPlan.gradientScratchCount(plans, steps: configuration.stepsPerWindow, lanes: lanes))
    }

    /// What a layer keeps of a micro-batch for its backward pass, besides h.
    private func kept(_ layer: Int, _ share: RankShare) -> Double {
        let model = configuration.model
        let (rows, steps) = (share.lanes.count, configuration.stepsPerWindow)
        let shape = RecurrentShape(cell: model.cell, inputChains: [inputSize(layer)], hidden: model.hidden)
        let gates = shape.gateRowStride(lanes: lanes)
        let cell = model.cell.hasCellState ? padded(model.hidden) : 0
        let perStep = Double(rows * (gates + cell + padded(inputSize(layer)) + padded(model.hidden)))
        guard let chunk = recomputation?.chunk(shape, steps: steps, leaves: share.leaves) else {
            let tokens = layer == 0 ? min(model.vocabularySize, steps * rows / 2) : 0
            return Double(steps) * perStep + Double(tokens * gates)
        }
        let borders = model.cell.hasCellState ? (steps + chunk - 1) / chunk * rows * model.hidden : 0
        return Double(chunk) * perStep + Double(borders + share.leaves.leaves.count * shape.parameterCount)
    }
}
