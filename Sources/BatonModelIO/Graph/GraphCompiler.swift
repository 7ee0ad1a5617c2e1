import BatonChecks
import BatonFormats
import BatonNN
import BatonTensor

/// Turns a graph and its parameters into a program: knows the operations, and checks arguments and parameters.
struct GraphCompiler {
    /// What a node's output is while the program is made.
    private enum Value {
        case input(Int)
        /// A parameter as it stands in the file.
        case parameter(String)
        /// Parameters flattened and joined, the way to an `RNN` node.
        case packed([String])
        case step(Int)
    }

    private struct LayerKey: Hashable {
        let description: PackedRecurrentParameters
        let names: [String]
    }

    private let origin: String
    private let tensors: NamedTensors
    private var program = GraphProgram()
    private var values: [Value] = []
    private var parameters: [String: Parameter] = [:]
    private var products: [[String]: LinearLayerProduct] = [:]
    private var layers: [LayerKey: RecurrentLayer] = [:]
    /// Names of parameters that recurrent layers own.
    private var packedNames: Set<String> = []

    /// The program of a graph.
    ///
    /// - Parameter inputs: names of the inputs; nil takes the variables that have no values.
    /// - Throws: `ModelIOError` naming the node, what was expected and the remedy.
    static func compile(
        _ graph: SymbolGraph, parameters: NamedTensors, inputs: [String]?, origin: String
    ) throws(ModelIOError) -> GraphProgram {
        var compiler = GraphCompiler(origin: origin, tensors: parameters.withoutMXNetPrefixes())
        for node in graph.nodes {
            do { compiler.values.append(try compiler.take(node, inputs)) } catch let mismatch as GraphMismatch {
                throw ModelIOError(
                    "\(origin): node \(printable(node.name)) (\(printable(node.operation))) \(mismatch.words); "
                        + "export a net of recurrent layers and cells, dense layers and embeddings, with its parameters."
                )
            } catch { throw ModelIOError("\(origin): node \(printable(node.name)): \(error)") }
        }
        if let inputs, let absent = inputs.first(where: { !compiler.program.inputNames.contains($0) }) {
            throw ModelIOError(
                "\(origin) has no input \(printable(absent)); its variables are "
                    + graph.nodes.filter(\.isVariable).prefix(8).map { printable($0.name) }.joined(separator: ", ")
                    + ".")
        }
        let variables = Set(graph.nodes.filter(\.isVariable).map(\.name))
        if let surplus = compiler.tensors.entries.first(where: { !variables.contains($0.name) })?.name {
            throw ModelIOError(
                "\(origin) has no variable \(printable(surplus)), which the parameters have; give those it was exported with."
            )
        }
        for head in graph.heads {
            do { compiler.program.heads.append(try compiler.source(head)) } catch let mismatch as GraphMismatch {
                throw ModelIOError("\(origin): a head \(mismatch.words); export the net again.")
            } catch { throw ModelIOError("\(origin): \(error)") }
        }
        return compiler.program
    }

    private init(origin: String, tensors: NamedTensors) {
        self.origin = origin
        self.tensors = tensors
    }

    private mutating func take(_ node: SymbolGraph.Node, _ inputs: [String]?) throws -> Value {
        if node.isVariable {
            if inputs?.contains(node.name) ?? (tensors[node.name] == nil) {
                program.inputNames.append(node.name)
                return .input(program.inputNames.count - 1)
            }
            guard tensors[node.name] != nil else { throw GraphMismatch("is no input and has no values") }
            return .parameter(node.name)
        }
        if let packed = try packed(node) { return .packed(packed) }
        var attributes = GraphAttributes(node.attributes)
        var sources = node.inputs
        let operation = try operation(node, &attributes, &sources)
        try attributes.finish()
        program.steps.append(
            GraphProgram.Step(
                name: "\(printable(node.name)) (\(printable(node.operation)))", operation: operation,
                inputs: try sources.map { try source($0) }))
        return .step(program.steps.count - 1)
    }

    /// Parameters on their way to an `RNN` node: flattened, then joined.
    private func packed(_ node: SymbolGraph.Node) throws -> [String]? {
        var attributes = GraphAttributes(node.attributes)
        switch (node.operation, node.inputs.count) {
        case ("Reshape", 1):
            guard case .parameter(let name) = values[node.inputs[0].node], try attributes.tuple("shape") == [-1] else {
                return nil
            }
            return [name]
        case ("_rnn_param_concat", _), ("Concat", _):
            var names: [String] = []
            for input in node.inputs {
                guard case .packed(let part) = values[input.node] else { return nil }
                names += part
                // A vector that repeats itself is no vector of parameters, and could double with every node.
                guard names.count <= tensors.count else { throw GraphMismatch("joins parameters more than once") }
            }
            return names.isEmpty ? nil : names
        default: return nil
        }
    }

    /// Variables that stand where parameters should, at most three, directly or flattened.
    private func variablesWithoutValues(_ outputs: [SymbolGraph.Output]) -> [String] {
        let names = outputs.compactMap { output -> String? in
            switch values[output.node] {
            case .input(let index): return program.inputNames[index]
            case .step(let index):
                guard case .input(let index)? = program.steps[index].inputs.first else { return nil }
                return program.inputNames[index]
            case .parameter, .packed: return nil
            }
        }
        return Array(names.prefix(3))
    }

    private func source(_ output: SymbolGraph.Output) throws -> GraphProgram.Source {
        switch values[output.node] {
        case .input(let index):
            guard output.index == 0 else { throw GraphMismatch("refers to output \(output.index) of an input") }
            return .input(index)
        case .step(let index):
            guard output.index < program.steps[index].operation.outputCount else {
                throw GraphMismatch(
                    "refers to output \(output.index) of \(program.steps[index].name), which it has not")
            }
            return .step(index, output: output.index)
        case .parameter(let name):
            throw GraphMismatch(
                "computes on the parameter \(printable(name)) as on an input, which Baton does not do")
        case .packed:
            throw GraphMismatch("computes on packed parameters, which only an RNN node takes")
        }
    }

    private mutating func operation(
        _ node: SymbolGraph.Node, _ attributes: inout GraphAttributes, _ sources: inout [SymbolGraph.Output]
    ) throws -> any GraphOperation {
        switch node.operation {
        case "RNN": return try recurrent(node, &attributes, &sources)
        case "FullyConnected": return try fullyConnected(&attributes, &sources)
        case "Embedding": return try embedding(&attributes, &sources)
        case "Activation": return try ActivationNode(name: attributes.text("act_type") ?? "none")
        case "tanh", "relu", "sigmoid", "softsign": return try ActivationNode(name: node.operation)
        case "LeakyReLU": return try LeakyNode(&attributes)
        case "softmax", "log_softmax":
            return try SoftmaxNode(&attributes, isLogarithm: node.operation == "log_softmax")
        case "mean", "sum": return try ReductionNode(&attributes, isMean: node.operation == "mean")
        case "_plus_scalar", "_minus_scalar", "_rminus_scalar", "_mul_scalar", "_div_scalar":
            return try ScalarNode(&attributes, operation: node.operation)
        case "LayerNorm": return try layerNorm(&attributes, &sources)
        case "elemwise_add": return ArithmeticNode(sign: .plus)
        case "elemwise_sub": return ArithmeticNode(sign: .minus)
        case "elemwise_mul": return ArithmeticNode(sign: .times)
        case "where": return SelectNode()
        case "ones_like": return FillNode(value: 1)
        case "zeros_like": return FillNode(value: 0)
        case "_zeros": return try ZerosNode(&attributes)
        case "Dropout": return try DropoutNode(&attributes, name: node.name)
        case "Reshape": return try ReshapeNode(&attributes)
        case "SwapAxis": return try SwapAxesNode(&attributes)
        case "transpose": return try SwapAxesNode(permutation: &attributes)
        case "Flatten": return AxesNode(newAxis: nil)
        case "expand_dims": return AxesNode(newAxis: try attributes.integer("axis"))
        case "slice_axis": return try SliceAxisNode(&attributes)
        case "SliceChannel": return try SplitNode(&attributes)
        case "Concat": return try JoinNode(&attributes, isStack: false)
        case "stack": return try JoinNode(&attributes, isStack: true)
        case "SequenceMask": return try SequenceNode(&attributes, action: .mask)
        case "SequenceReverse": return try SequenceNode(&attributes, action: .reverse)
        case "SequenceLast": return try SequenceNode(&attributes, action: .last)
        case "_rnn_param_concat":
            let names = variablesWithoutValues(sources).map { printable($0) }
            throw GraphMismatch(
                names.isEmpty
                    ? "joins what Baton does not know as parameters"
                    : "needs \(names.joined(separator: ", ")), which the parameters do not have")
        default: throw GraphMismatch("is an operation Baton does not run")
        }
    }

    private mutating func recurrent(
        _ node: SymbolGraph.Node, _ attributes: inout GraphAttributes, _ sources: inout [SymbolGraph.Output]
    ) throws -> RecurrentNode {
        let description = try PackedRecurrentParameters(&attributes)
        guard sources.count >= 2 else { throw GraphMismatch("has no parameters") }
        let names: [String]
        switch values[sources.remove(at: 1).node] {
        case .packed(let packed): names = packed
        case .parameter(let name): names = [name]
        case .input, .step: throw GraphMismatch("has parameters that are computed, which Baton does not do")
        }
        let key = LayerKey(description: description, names: names)
        if let layer = layers[key] { return self.node(layer, description) }
        for name in names where parameters[name] != nil || !packedNames.insert(name).inserted {
            throw GraphMismatch("shares the parameter \(printable(name)) with another node, which Baton does not do")
        }
        let vector = try joined(names)
        let first = names[0]
        let suffix = "l0_i2h_weight"
        let prefix = first.hasSuffix(suffix) ? String(first.dropLast(suffix.count)) : "\(node.name)_"
        let layer = try description.makeLayer(vector, prefix: prefix)
        layers[key] = layer
        program.layers.append(layer)
        return self.node(layer, description)
    }

    private func node(_ layer: RecurrentLayer, _ description: PackedRecurrentParameters) -> RecurrentNode {
        RecurrentNode(layer: layer, givesStates: description.givesStates, takesLengths: description.takesLengths)
    }

    /// The elements of several parameters one after the other.
    private func joined(_ names: [String]) throws -> Tensor {
        let parts = names.compactMap { tensors[$0] }
        let dtype = parts.first?.dtype ?? .float32
        guard parts.count == names.count, parts.allSatisfy({ $0.dtype == dtype }), dtype.isFloatingPoint else {
            throw GraphMismatch("has parameters of different types, or of whole numbers")
        }
        let vector = Tensor(uninitialized: [parts.reduce(0) { $0 + $1.count }], dtype: dtype)
        var position = 0
        for part in parts {
            vector[leading: position..<position + part.count].copyElements(from: part)
            position += part.count
        }
        return vector
    }

    private mutating func fullyConnected(
        _ attributes: inout GraphAttributes, _ sources: inout [SymbolGraph.Output]
    ) throws -> FullyConnectedNode {
        let units = try attributes.integer("num_hidden")
        let hasBias = try !attributes.boolean("no_bias", default: false)
        let flattens = try attributes.boolean("flatten", default: true)
        guard sources.count == (hasBias ? 3 : 2) else { throw GraphMismatch("has \(sources.count) inputs") }
        let bias = hasBias ? try parameter(sources.removeLast(), shape: [units]) : nil
        let weight = try parameter(sources.removeLast(), shape: [units, nil])
        guard bias == nil || bias?.dtype == weight.dtype else { throw GraphMismatch("has a bias of another type") }
        let names = [weight.name] + (bias.map { [$0.name] } ?? [])
        let product = products[names] ?? LinearLayerProduct()
        products[names] = product
        return FullyConnectedNode(weight: weight, bias: bias, flattens: flattens, product: product)
    }

    private mutating func layerNorm(
        _ attributes: inout GraphAttributes, _ sources: inout [SymbolGraph.Output]
    ) throws -> LayerNormNode {
        let epsilon = try attributes.number("eps", default: 1e-5)
        guard try attributes.integer("axis", default: -1) == -1,
            try !attributes.boolean("output_mean_var", default: false), epsilon >= 0, sources.count == 3
        else { throw GraphMismatch("is not over the last axis with a gain and a bias, and one result") }
        let bias = try parameter(sources.removeLast(), shape: [nil])
        let gain = try parameter(sources.removeLast(), shape: [bias.count])
        guard gain.dtype == bias.dtype else { throw GraphMismatch("has a gain and a bias of different types") }
        return LayerNormNode(gain: gain, bias: bias, epsilon: epsilon)
    }

    private mutating func embedding(
        _ attributes: inout GraphAttributes, _ sources: inout [SymbolGraph.Output]
    ) throws -> EmbeddingNode {
        let (rows, width) = (try attributes.integer("input_dim"), try attributes.integer("output_dim"))
        attributes.ignore("dtype", "sparse_grad")
        guard sources.count == 2 else { throw GraphMismatch("has \(sources.count) inputs") }
        return EmbeddingNode(weight: try parameter(sources.removeLast(), shape: [rows, width]))
    }

    /// A parameter of a shape whose unknown axes are nil.
    private mutating func parameter(_ output: SymbolGraph.Output, shape: [Int?]) throws -> Parameter {
        guard case .parameter(let name) = values[output.node], let tensor = tensors[name] else {
            throw GraphMismatch("has a weight or bias that is no parameter with values")
        }
        guard tensor.rank == shape.count, zip(tensor.shape, shape).allSatisfy({ $1 == nil || $0 == $1 }),
            !tensor.shape.contains(0), tensor.dtype.isFloatingPoint
        else {
            let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw GraphMismatch(
                "expects \(printable(name)) of shape (\(expected)), and its values are \(tensor.dtype.rawValue) "
                    + "\(tensor.shape)")
        }
        if let known = parameters[name] { return known }
        guard !packedNames.contains(name) else {
            throw GraphMismatch("shares the parameter \(printable(name)) with an RNN node, which Baton does not do")
        }
        let parameter = Parameter(name: name, shape: tensor.shape, dtype: tensor.dtype)
        parameter.setData(tensor)
        parameters[name] = parameter
        program.parameters.append((name, parameter))
        return parameter
    }
}
