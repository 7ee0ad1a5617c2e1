import BatonFormats
import BatonNN
import BatonTensor

/// A graph with its parameters as steps to run, all of whose operations and arguments are known and fit together.
struct GraphProgram {
    /// A value: a step's result, or an input.
    enum Source {
        case input(Int)
        case step(Int, output: Int)
    }

    struct Step {
        /// For messages: name and operation.
        let name: String
        let operation: any GraphOperation
        let inputs: [Source]
    }

    /// Names of the inputs, in the order of the graph.
    var inputNames: [String] = []
    var steps: [Step] = []
    var heads: [Source] = []
    /// Parameters of fully connected layers, embeddings and the like, by their names in the graph.
    var parameters: [(name: String, parameter: Parameter)] = []
    /// Recurrent layers, which own their parameters.
    var layers: [RecurrentLayer] = []
}

extension GraphProgram {
    /// Shapes of all values for given inputs.
    ///
    /// - Throws: `ModelIOError` naming the node whose inputs do not fit, or when more than `limit` bytes are needed.
    func shapes(_ inputs: [GraphShape], origin: String, limit: Int) throws -> [[GraphShape]] {
        do {
            return try shapes(inputs, batch: nil, origin: origin, limit: limit)
        } catch let found as BatchFound {
            do {
                return try shapes(inputs, batch: found.size, origin: origin, limit: limit)
            } catch is BatchFound {
                throw ModelIOError(
                    "\(origin): begin states are needed for batches of \(found.size) and of other sizes; "
                        + "check the layout of the inputs.")
            }
        }
    }

    private func shapes(
        _ inputs: [GraphShape], batch: Int?, origin: String, limit: Int
    ) throws -> [[GraphShape]] {
        var results: [[GraphShape]] = []
        var bytes = 0
        for step in steps {
            let given = step.inputs.map { source in
                switch source {
                case .input(let index): inputs[index]
                case .step(let index, let output): results[index][output]
                }
            }
            var shapes: [GraphShape]
            do { shapes = try step.operation.shapes(given) } catch let mismatch as GraphMismatch {
                throw ModelIOError(
                    "\(origin): node \(step.name) \(mismatch.words); give inputs of the shapes it was exported with.")
            }
            if let batch {
                for index in shapes.indices {
                    shapes[index].axes = shapes[index].axes.map { $0 == GraphShape.batch ? batch : $0 }
                }
            }
            for shape in shapes {
                guard let size = shape.count, size <= (limit - bytes) / shape.dtype.byteCount else {
                    throw ModelIOError(
                        "\(origin): its values would take more than \(limit) bytes at node \(step.name); raise "
                            + "memoryLimit if that is meant.")
                }
                bytes += size * shape.dtype.byteCount
            }
            results.append(shapes)
        }
        let unknown = results.joined().contains { $0.axes.contains(GraphShape.batch) }
        if unknown && batch == nil {
            throw ModelIOError("\(origin): nothing tells the size of the batch of its begin states; give the states.")
        }
        return results
    }

    /// Runs all steps.
    func run(_ inputs: [Variable], _ context: ForwardContext, origin: String, limit: Int) throws -> [Variable] {
        let shapes = try shapes(
            inputs.map { GraphShape(axes: $0.shape, dtype: $0.dtype) }, origin: origin, limit: limit)
        var results: [[Variable]] = []
        func value(_ source: Source) -> Variable {
            switch source {
            case .input(let index): inputs[index]
            case .step(let index, let output): results[index][output]
            }
        }
        for (step, shapes) in zip(steps, shapes) {
            if step.operation is ZerosNode {
                results.append([Variable(Tensor(zeros: shapes[0].axes, dtype: shapes[0].dtype))])
                continue
            }
            do { results.append(try step.operation.run(step.inputs.map(value), context)) } catch let mismatch
                as GraphMismatch
            {
                throw ModelIOError("\(origin): node \(step.name) \(mismatch.words); correct the input.")
            }
        }
        return heads.map(value)
    }
}
