import BatonComm
import BatonKernels

/// The memory of the tensors a rank keeps in training, the rank that needs the most.
///
/// | Part | Floats |
/// |---|---|
/// | parameters, moments, packed weights | 1, 2 for Adam, and 2 for each parameter |
/// | gradients | 1 for each parameter and partial sum, with the others' parts that land here |
/// | a layer, for each row and step | gates, c and the packed factors of the weight gradient; h, its gradient, and h again after dropout |
/// | a layer that computes its gates again | as `Recomputation` says, instead of gates, c and factors |
/// | embedding | its output and the gradient of it |
/// | output layer | logits' gradient, and logits (of a chunk, where there are stages); spread, only of the own rows, with h and its gradient |
struct MemoryForecast {
    let configuration: TrainingConfiguration
    /// With the place of its output layer.
    let candidate: LayoutCandidate
    /// nil where a rank holds the whole model.
    let schedule: PipelineSchedule?
    /// nil keeps the gates.
    let recomputation: Recomputation?

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

    private var isSpread: Bool { candidate.output == .spread }
    private var microBatches: Int { schedule?.shape.microBatches ?? 1 }

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
        let landing = candidate.layout.replicas > 1 ? 1.0 : 0
        // An embedding is looked up as it is.
        let table = layers.lowerBound == 0 ? Double(model.vocabularySize * model.embedding) : 0
        return held * (3 + moments + Double(gradients) + landing) - 2 * table
    }

    /// What a window in progress keeps, of all micro-batches.
    private func windowFloats(_ layers: Range<Int>, _ place: ParallelLayout.Place) -> Double {
        let model = configuration.model
        let (hidden, steps) = (Double(model.hidden), Double(configuration.stepsPerWindow))
        let shares = shares(place).shares
        let rows = steps * Double(shares.reduce(0) { $0 + $1.lanes.count })
        var floats = 0.0
        for layer in layers {
            for share in shares { floats += kept(layer, share) }
            floats += rows * 2 * hidden
            if model.dropout > 0, layer + 1 < model.layers { floats += rows * hidden * (schedule == nil ? 2 : 1) }
        }
        // What the lowest layer reads, and its gradient.
        floats += rows * 2 * Double(layers.lowerBound == 0 ? model.embedding : model.hidden)
        guard isSpread || layers.upperBound == model.layers else { return floats }
        let perRow = Double(model.vocabularySize) * (1 + 1 / Double(schedule?.shape.chunks ?? 1))
        guard isSpread else { return floats + rows * perRow }
        let parts = outputParts(place).parts
        let own = steps * Double(parts[place.stage].reduce(0) { $0 + $1.rows.count })
        // The last stage has h and its gradient of everybody's rows once more.
        let copied = layers.upperBound == model.layers ? rows : own
        return floats + own * perRow + copied * 2 * hidden
    }

    /// What a layer keeps of a micro-batch for its backward pass, besides h.
    private func kept(_ layer: Int, _ share: RankShare) -> Double {
        let model = configuration.model
        let (rows, steps) = (share.lanes.count, configuration.stepsPerWindow)
        let shape = RecurrentShape(
            cell: model.cell, inputChains: [layer == 0 ? model.embedding : model.hidden], hidden: model.hidden)
        let perStep = Double(rows * shape.keptPerRow)
        guard let chunk = recomputation?.chunk(shape, steps: steps, leaves: share.leaves) else {
            return Double(steps) * perStep
        }
        let borders = model.cell.hasCellState ? (steps + chunk - 1) / chunk * rows * model.hidden : 0
        return Double(chunk) * perStep + Double(borders + share.leaves.leaves.count * shape.parameterCount)
    }
}
