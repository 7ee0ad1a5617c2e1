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
            order the gates alike; where Gluon has biases and IN has none, zeros are added.
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
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard output.hasSuffix(".safetensors") || output.hasSuffix(".params") else {
            throw ValidationError("\(output) must end in .safetensors or .params, which tells the format.")
        }
        if names == .kept && prefix != nil { throw ValidationError("--prefix changes names; --names kept does not.") }
    }

    func run() throws {
        if let launch = try LaunchEnvironment(), launch.size > 1 {
            throw ValidationError("convert is the work of one process, and this job has \(launch.size); start one.")
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
        Console.print(json ? try jsonText(report) : report.text)
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
