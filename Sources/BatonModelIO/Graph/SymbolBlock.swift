import BatonChecks
public import BatonFormats
public import BatonNN
public import BatonTensor

/// A graph of MXNet as a block that runs.
///
/// Operations: `RNN`, `FullyConnected`, `Embedding`, `Activation` (`tanh`, `relu`, `sigmoid`, `softsign`, `softrelu`),
/// `Dropout`, `Reshape`, `SwapAxis`, `SliceChannel`, `Concat`, `stack`, `elemwise_add`, `elemwise_sub`, `elemwise_mul`,
/// `where`, `ones_like`, `zeros_like`, `_zeros`, `SequenceMask`, `SequenceReverse`, `SequenceLast`: what nets of recurrent
/// layers and cells consist of; and what often follows them: `slice_axis`, `mean` and `sum` over some axes, `Flatten`,
/// `expand_dims`, `transpose` of the first two axes, `LayerNorm`, `LeakyReLU`, `softmax`, `log_softmax`, `_plus_scalar`,
/// `_minus_scalar`, `_rminus_scalar`, `_mul_scalar`, `_div_scalar`. `RNN` nodes run on the fused kernels of
/// `RecurrentLayer`. Gradients flow to inputs and parameters; sums over rows are those of one process, for a graph does not
/// say which axis is the batch.
///
/// - Source: Gluon `SymbolBlock` (parity 1.6, 4.3).
public final class SymbolBlock: HybridBlock {
    /// The graph.
    public let graph: SymbolGraph
    /// What the values of one run may take, in bytes; more is refused before anything is computed.
    public var memoryLimit = 4 << 30
    private let program: GraphProgram
    private let origin: String

    /// A graph with the values of its parameters.
    ///
    /// - Parameters:
    ///   - parameters: by their names in the graph, with or without `arg:` and `aux:`.
    ///   - inputNames: variables that are inputs; nil takes those without values.
    ///   - origin: the file, for messages.
    /// - Throws: `ModelIOError` naming the node Baton cannot run, or whose parameters do not fit.
    public init(
        _ graph: SymbolGraph, parameters: NamedTensors, inputNames: [String]? = nil, origin: String = "graph"
    ) throws(ModelIOError) {
        self.graph = graph
        self.origin = origin
        program = try GraphCompiler.compile(graph, parameters: parameters, inputs: inputNames, origin: origin)
        var outline = BlockOutline(prefix: "", hint: "symbolblock")
        for (name, parameter) in program.parameters { _ = outline.share(parameter, as: name) }
        super.init(outline)
        for layer in program.layers {
            var name = layer.name
            // Operations of a graph may bear equal names, children may not.
            while children.contains(where: { $0.name == name }) { name += "_" }
            register(child: layer, name: name)
        }
    }

    /// Reads what `HybridBlock.export` of MXNet, or of Baton, wrote.
    ///
    /// - Parameters:
    ///   - symbolPath: `<path>-symbol.json`.
    ///   - inputNames: variables that are inputs; nil takes those without values.
    ///   - parametersPath: `<path>-0000.params`.
    /// - Throws: `FormatError` when a file is damaged, `ModelIOError` as the initializer.
    public static func imports(
        _ symbolPath: String, inputNames: [String]? = nil, parameters parametersPath: String
    ) throws -> SymbolBlock {
        let graph = try SymbolGraph(path: symbolPath)
        return try SymbolBlock(
            graph, parameters: try TensorFile(path: parametersPath).all(), inputNames: inputNames, origin: symbolPath)
    }

    /// Names of the inputs, in the order of the graph.
    public var inputNames: [String] { program.inputNames }
    /// How many results there are.
    public var outputCount: Int { program.heads.count }

    /// All results for all inputs, in the order of the graph.
    ///
    /// - Throws: `ModelIOError` naming the node whose inputs do not fit.
    public func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        guard inputs.count == inputNames.count else {
            throw ModelIOError(
                "\(origin) takes \(inputNames.count) inputs, \(inputNames.map { printable($0) }.joined(separator: ", ")), and got "
                    + "\(inputs.count); give one for each.")
        }
        return try program.run(inputs, context, origin: origin, limit: memoryLimit)
    }

    /// The first result for one input.
    ///
    /// - Precondition: the graph takes one input, and one of this shape.
    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        do { return try run([input], context)[0] } catch { fatalError("\(error)") }
    }
}
