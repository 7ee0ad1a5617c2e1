import Baton
import BatonKernelABI

/// Windows of a small stack, forward and backward, that every layout has to repeat bit for bit: without and with dropout,
/// with rows of full and of mixed lengths, in turn. The stack has two directions; or one, for layouts that divide hidden
/// units, and is projected if it is an LSTM.
struct StackVerification {
    /// Sizes and number of windows.
    let sizes: VerificationRun
    /// Whether there are two directions.
    let bidirectional: Bool

    private var layers: Int { min(sizes.layers, 3) }

    /// The layouts of so many ranks that fit; of one direction those that divide units, and one rank.
    func layouts(ranks: Int) -> [ParallelLayout] {
        let all = (1...ranks).flatMap { inner in
            (1...layers).map { stages -> ParallelLayout? in
                guard ranks % (inner * stages) == 0, !bidirectional || inner <= 2 else { return nil }
                let replicas = ranks / inner / stages
                return bidirectional
                    ? ParallelLayout(replicas: replicas, stages: stages, directions: inner)
                    : ParallelLayout(replicas: replicas, stages: stages, shards: inner)
            }
        }
        return all.compactMap { $0 }.filter { layout in
            layout.replicas <= LeafPlan.leafCount(rows: sizes.batch)
                // Only the packed kernels divide units.
                && (bidirectional || ranks == 1
                    || layout.shards > 1 && KernelSelection.active.backend == .packed)
        }
    }

    /// Two thirds of H.
    private var projection: Int? { bidirectional ? nil : max(1, sizes.hidden * 2 / 3) }

    private func stack(_ cell: RecurrentKind) -> RecurrentLayer {
        let stack = RecurrentLayer.make(
            cell, hiddenSize: sizes.hidden, numLayers: layers, dropout: sizes.dropout, bidirectional: bidirectional,
            inputSize: sizes.embed, projectionSize: cell == .lstm ? projection : nil, prefix: "both_")
        stack.initialize(seed: 7)
        return stack
    }

    private func values(_ name: String, _ shape: [Int]) -> Tensor {
        let stream = RandomStream(seed: 7, name: "verify-layout \(name)")
        return Tensor(
            (0..<shape.reduce(1, *)).map { Float(stream.uniform(UInt64($0)) * 2 - 1) }, shape: shape)
    }

    /// What a layout makes; complete on rank 0. Collective.
    ///
    /// - Parameters:
    ///   - recomputation: of the gates, where windows are whole and units not divided.
    ///   - flip: the rank and the step before which one bit of a weight is flipped.
    func record(
        _ model: TrainOptions.Model, _ layout: ParallelLayout, on world: any Communicator,
        recomputation: Recomputation?, flip: (rank: Int, step: Int)?
    ) throws -> LayoutRecord {
        let kind = bidirectional ? "both-directions" : "one-direction"
        var record = LayoutRecord(title: "\(model.rawValue)-\(kind) \(layout)")
        let stack = stack(model.cell)
        stack.recomputation = recomputation
        let parallel = try ParallelStack(
            stack, grid: ProcessGrid(layout, world: world), batchSize: sizes.batch)
        let (steps, rows) = (sizes.stepsPerWindow, sizes.batch)
        let input = values("x", [steps, rows, sizes.embed])
        let directions = stack.directionCount
        let outputGradient = values("dy", [steps, rows, directions * stack.outputSize])
        let stateGradients = stack.stateWidths.enumerated().map {
            values("dh \($0)", [directions * layers, rows, $1])
        }
        let lengths = (0..<rows).map { [steps, 0, (steps + 1) / 2, 1, max(1, steps - 1)][$0 % 5] }
        var states = parallel.beginState()
        for step in 1...sizes.steps {
            if let flip, flip.rank == world.rank, flip.step == step {
                // Of a unit that the rank computes.
                let part = UnitShard(index: parallel.grid.place.shard, count: layout.shards)
                Self.flip(parallel.directions[0].inputWeight, row: part.columns(of: sizes.hidden).lowerBound)
            }
            let drops = step % 2 == 0, cuts = (step - 1) % 4 >= 2
            let output: Tensor?
            (output, states) = try parallel.forward(
                parallel.rows(of: input), states: states,
                lengths: cuts ? Array(lengths[parallel.share.rows]) : nil,
                random: drops ? RandomKey(seed: 7, step: UInt32(step)) : nil, recordsGradients: true)
            let back = try parallel.backward(
                parallel.rows(of: outputGradient), states: stateGradients.map { parallel.entries(of: $0) })
            record.add(step, "output", ["y"], try [parallel.collect(output: output, steps: steps)])
            record.add(step, "final-state", ["h", "c"], try parallel.collect(states: states))
            record.add(step, "gradient", ["x"], try [parallel.collect(inputGradient: back.input, steps: steps)])
            record.add(step, "gradient-of-state", ["h", "c"], try parallel.collect(states: back.states))
            record.add(
                step, "gradient", stack.directions.flatMap(\.parameters).map(\.name),
                try parallel.collectParameterGradients())
        }
        return record
    }

    /// The highest bit of a mantissa, so that it is not lost in rounding.
    private static func flip(_ parameter: Parameter, row: Int) {
        let weight = parameter.data.pointer(of: Float.self) + row * parameter.shape[1]
        weight[0] = Float(bitPattern: weight[0].bitPattern ^ 1 << 22)
        parameter.markChanged()
    }
}

extension LayoutRecord {
    /// Adds the hashes of tensors; of none, where they are not on this rank.
    fileprivate mutating func add(_ step: Int, _ kind: String, _ names: [String], _ tensors: [Tensor?]) {
        for (name, tensor) in zip(names, tensors) {
            guard let tensor else { continue }
            let bytes = UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount)
            lines.append("\(step) \(kind) \(name) \(hexadecimal(XXHash64.hash(bytes)))")
        }
    }
}
