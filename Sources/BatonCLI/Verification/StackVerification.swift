import Baton
import BatonKernelABI

/// Windows of a small bidirectional stack, forward and backward, that every layout has to repeat bit for bit: without
/// and with dropout, with rows of full and of mixed lengths, in turn.
struct StackVerification {
    /// Sizes and number of windows.
    let sizes: VerificationRun

    private var layers: Int { min(sizes.layers, 3) }

    /// The layouts of so many ranks that fit.
    func layouts(ranks: Int) -> [ParallelLayout] {
        var all: [ParallelLayout] = []
        for directions in [1, 2] where ranks % directions == 0 {
            for stages in 1...layers where ranks / directions % stages == 0 {
                let replicas = ranks / directions / stages
                if replicas <= LeafPlan.leafCount(rows: sizes.batch) {
                    all.append(ParallelLayout(replicas: replicas, stages: stages, directions: directions))
                }
            }
        }
        return all
    }

    private func stack(_ cell: RecurrentKind) -> RecurrentLayer {
        let stack: RecurrentLayer =
            switch cell {
            case .lstm:
                LSTM(
                    hiddenSize: sizes.hidden, numLayers: layers, dropout: sizes.dropout, bidirectional: true,
                    inputSize: sizes.embed, prefix: "both_")
            case .gru:
                GRU(
                    hiddenSize: sizes.hidden, numLayers: layers, dropout: sizes.dropout, bidirectional: true,
                    inputSize: sizes.embed, prefix: "both_")
            case .rnnTanh, .rnnRelu:
                RNN(
                    hiddenSize: sizes.hidden, numLayers: layers, activation: cell == .rnnTanh ? .tanh : .relu,
                    dropout: sizes.dropout, bidirectional: true, inputSize: sizes.embed, prefix: "both_")
            }
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
    /// - Parameter flip: the rank and the step before which one bit of a weight is flipped.
    func record(
        _ model: TrainOptions.Model, _ layout: ParallelLayout, on world: any Communicator,
        flip: (rank: Int, step: Int)?
    ) throws -> LayoutRecord {
        var record = LayoutRecord(title: "\(model.rawValue)-both-directions \(layout)")
        let stack = stack(model.cell)
        let parallel = try ParallelStack(
            stack, grid: ProcessGrid(layout, world: world), batchSize: sizes.batch)
        let (steps, rows) = (sizes.stepsPerWindow, sizes.batch)
        let input = values("x", [steps, rows, sizes.embed])
        let outputGradient = values("dy", [steps, rows, 2 * sizes.hidden])
        let stateGradients = (0..<stack.stateCount).map { values("dh \($0)", [2 * layers, rows, sizes.hidden]) }
        let lengths = (0..<rows).map { [steps, 0, (steps + 1) / 2, 1, max(1, steps - 1)][$0 % 5] }
        var states = parallel.beginState()
        for step in 1...sizes.steps {
            if let flip, flip.rank == world.rank, flip.step == step { Self.flip(parallel.directions[0].inputWeight) }
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
    static func flip(_ parameter: Parameter) {
        let weight = parameter.data.pointer(of: Float.self)
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
