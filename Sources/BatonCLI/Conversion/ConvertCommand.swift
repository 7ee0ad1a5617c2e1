import ArgumentParser
import Baton

/// `baton convert IN OUT`: weights from one format and one library's names to another's.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Converts weights between safetensors and MXNet's .params.",
        discussion: """
            The name of OUT tells its format (.safetensors, .params); the first bytes of IN tell its own. Recurrent \
            layers and cells are renamed: to PyTorch's names in safetensors and to those of a saved Gluon block in \
            .params, unless --names says otherwise; tensors of other kinds keep their names. Elements stay the same \
            bit for bit (16-bit floating-point numbers and small integers are widened, exactly), for PyTorch and Gluon \
            order the gates alike; where Gluon has biases and IN has none, zeros are added. An OUT that ends in \
            -symbol.json makes the one recurrent stack in IN a graph, with its parameters beside it in -0000.params, as \
            MXNet's SymbolBlock.imports reads them.
            """)

    /// Conventions by the names of the option.
    enum Names: String, ExpressibleByArgument, CaseIterable {
        case pytorch, gluon
        case gluonBlock = "gluon-block"
        case kept
    }

    @Argument(help: "The file to read.") var input: String
    @Argument(help: "The file to write.") var output: String
    @Option(
        help: """
            Names in OUT: pytorch (weight_ih_l0), gluon (l0_i2h_weight), gluon-block (_unfused.0.i2h_weight) or kept.
            """) var names: Names?
    @Option(help: "What the names of recurrent layers begin with in OUT, for instance 'lstm.' or 'lstm0_'.")
    var prefix: String?
    @Option(help: "For a graph: what the weights compute.") var kind: RecurrentKind?
    @Option(help: "For a graph: order of the axes of input and output (default TNC).") var axes: SequenceLayout?
    @Flag(help: "For a graph: make the states inputs and results, instead of beginning with zeros.") var states = false
    @Flag(help: "Print one JSON object.") var json = false

    private static let graphEnding = SymbolGraphFiles.symbolEnding
    /// OUT without the ending that makes it a graph; nil if it has another.
    private var graphPath: String? {
        output.hasSuffix(Self.graphEnding) ? String(output.dropLast(Self.graphEnding.count)) : nil
    }

    /// What is written.
    private var outputs: [String] {
        guard let files = graphPath.map({ SymbolGraphFiles(path: $0) }) else { return [output] }
        return [files.symbol, files.parameters]
    }

    func validate() throws {
        if let file = FileIdentity(input), let same = outputs.first(where: { FileIdentity($0) == file }) {
            throw ValidationError("\(same) would replace \(input), which is read; name another OUT.")
        }
        if graphPath != nil {
            guard kind != nil else { throw ValidationError("A graph needs --kind, which the weights do not tell.") }
            guard names == nil, prefix == nil else {
                throw ValidationError("--names and --prefix are for weights; a graph has names of its own.")
            }
            return
        }
        guard output.hasSuffix(".safetensors") || output.hasSuffix(".params") else {
            throw ValidationError(
                "\(output) must end in .safetensors, .params or \(Self.graphEnding), which tells the format.")
        }
        guard kind == nil, axes == nil, !states else {
            throw ValidationError("--kind, --axes and --states are for graphs, whose names end in \(Self.graphEnding).")
        }
        if names == .kept && prefix != nil { throw ValidationError("--prefix changes names; --names kept does not.") }
    }

    func run() throws {
        if let launch = try LaunchEnvironment(), launch.size > 1 {
            throw ValidationError("convert is the work of one process, and this job has \(launch.size); start one.")
        }
        if let kind, let graphPath {
            let layer = try RecurrentStackWeights(path: input, cell: kind).makeLayer(layout: axes ?? .TNC)
            let files = try layer.export(to: graphPath, withStates: states)
            let report = GraphConversionReport(input: input, symbol: files.symbol, parameters: files.parameters)
            try Console.print(report, json: json)
            return
        }
        let source = try TensorFile(path: input)
        let toParams = output.hasSuffix(".params")
        let names = names ?? (toParams ? .gluonBlock : .pytorch)
        let tensors = try source.all()
        let renaming = try names.convention.map { try WeightRenaming(tensors, to: $0, prefix: prefix) }
        let result = renaming?.tensors ?? tensors
        if toParams {
            try MXNetParamsWriter.write(result, to: output)
        } else {
            try SafetensorsWriter.write(result, to: output)
        }
        let report = ConversionReport(
            input: input, output: output, from: source.format.rawValue, to: toParams ? "params" : "safetensors",
            names: names.rawValue, tensors: result.count, renamed: renaming?.renamedCount ?? 0,
            addedBiases: renaming?.addedBiasCount ?? 0, withoutValues: source.entries.count { $0.shape == nil },
            droppedMetadata: toParams ? source.metadata.count : 0, trailingBytes: source.trailingByteCount)
        try Console.print(report, json: json)
    }
}

extension ConvertCommand.Names {
    fileprivate var convention: RecurrentTensorName.Convention? {
        switch self {
        case .pytorch: .pyTorch
        case .gluon: .gluon
        case .gluonBlock: .gluonUnfused
        case .kept: nil
        }
    }
}
