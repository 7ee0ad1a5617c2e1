import BatonComm
import BatonKernels

/// The memory of the tensors a rank keeps in training, the rank that needs the most.
///
/// | Part | Floats |
/// |---|---|
/// | parameters, moments, packed weights | 1, 2 for Adam, and 2 for each parameter |
/// | gradients | 1 for each parameter and partial sum, with the others' parts that land here |
/// | a layer, for each row and step | saved gates G·H, c, h, its gradient, and h again after dropout |
/// | embedding | its output and the gradient of it |
/// | output layer | logits' gradient, and logits (of a chunk, where there are stages) |
struct MemoryForecast {
    /// Of the rank that needs the most.
    let bytes: Double

    /// - Parameter schedule: nil where a rank holds the whole model.
    init(_ configuration: TrainingConfiguration, layout: ParallelLayout, schedule: PipelineSchedule?) {
        let model = configuration.model
        guard let partition = try? StagePartition(model, stages: layout.stages) else {
            bytes = 0
            return
        }
        var largest = 0.0
        for stage in 0..<layout.stages {
            for replica in 0..<layout.replicas {
                largest = max(
                    largest,
                    Self.floats(configuration, layout, schedule, replica, layers: partition.stages[stage]))
            }
        }
        bytes = 4 * largest
    }

    private static func floats(
        _ configuration: TrainingConfiguration, _ layout: ParallelLayout, _ schedule: PipelineSchedule?, _ replica: Int,
        layers: Range<Int>
    ) -> Double {
        let model = configuration.model
        let share = RankShare(
            lanes: configuration.batch, leafCount: configuration.leafCount, rank: replica, size: layout.replicas)
        let sums = schedule.map {
            MicroBatchSums(
                lanes: configuration.batch, leafCount: configuration.leafCount, replica: replica,
                replicas: layout.replicas, microBatches: $0.shape.microBatches
            ).gradientCount
        }
        let gradients = Double(sums ?? max(1, share.leaves.subtrees.count))
        let moments = configuration.optimizer == .sgd ? (configuration.momentum > 0 ? 1.0 : 0) : 2
        let landing = layout.replicas > 1 ? 1.0 : 0
        let parameters = model.parameterCount(layers: layers) * (3 + moments + gradients + landing)

        let (hidden, rows) = (Double(model.hidden), Double(share.lanes.count * configuration.stepsPerWindow))
        let saved = Double(model.cell == .gru ? 4 : model.cell.gateCount) + (model.cell.hasCellState ? 1 : 0)
        var perRow = 0.0
        for layer in layers {
            perRow += hidden * (saved + 2)
            if model.dropout > 0, layer + 1 < model.layers { perRow += hidden * (schedule == nil ? 2 : 1) }
        }
        // What the lowest layer reads, and its gradient.
        perRow += 2 * Double(layers.lowerBound == 0 ? model.embedding : model.hidden)
        if layers.upperBound == model.layers {
            let chunks = Double(schedule?.shape.chunks ?? 1)
            perRow += Double(model.vocabularySize) * (1 + 1 / chunks)
        }
        return parameters + rows * perRow
    }
}
