public import ArgumentParser
public import Baton
import BatonKernelABI
import FoundationEssentials

extension RecurrentKind: ExpressibleByArgument {}
extension SequenceLayout: ExpressibleByArgument {}

/// The files `baton run` reads and writes, checked for combinations that make no sense.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Weights: safetensors or MXNet's .params, with PyTorch's or Gluon's names.", valueName: "file"))
    var weights: String
    @Option(help: "What the weights compute; not with --symbol.") var kind: RecurrentKind?
    @Option(
        help: ArgumentHelp(
            """
            A graph MXNet exported, whose parameters the weights are. Its inputs are --input, --state, --cell-state and \
            --lengths, as many as it has, in this order; its results --output, --state-out and --cell-state-out.
            """,
            valueName: "name-symbol.json"))
    var symbol: String?
    @Option(help: ArgumentHelp("Input x.", valueName: "x.npy")) var input: String
    @Option(help: ArgumentHelp("Initial h, (L·D, N, H), projected (L·D, N, P); zero if absent.", valueName: "h0.npy"))
    var state: String?
    @Option(help: ArgumentHelp("Initial c of an LSTM, (L·D, N, H); needs --state.", valueName: "c0.npy"))
    var cellState: String?
    @Option(
        help: ArgumentHelp(
            "Valid lengths, (N) of int32 or int64: output past them is zero, states pass through.", valueName: "n.npy"))
    var lengths: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Least c of an LSTM after every step; needs --clip-max.", valueName: "number"))
    var clipMin: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Greatest c of an LSTM after every step; needs --clip-min.", valueName: "number"))
    var clipMax: Double?
    @Flag(help: "Make c the least value where it is not a number; needs --clip-min and --clip-max.")
    var clipNan = false
    @Option(
        help:
            "How the weights are held: float32 (exact), bfloat16 (faster with few rows; with AVX-512 BF16 with any number) or int8 (with any number; a row with an infinite input gives NaN); the last two without gradients."
    ) var precision = WeightPrecision.float32
    @Option(help: "Order of the axes of input and output: steps, batch, features, or batch first.")
    var axes = SequenceLayout.TNC
    @Option(help: ArgumentHelp("Where the output goes.", valueName: "y.npy")) var output: String
    @Option(help: ArgumentHelp("Where the final h goes.", valueName: "hn.npy")) var stateOut: String?
    @Option(help: ArgumentHelp("Where the final c of an LSTM goes.", valueName: "cn.npy"))
    var cellStateOut: String?
    @Option(help: ArgumentHelp("Gradient of the output; asks for the backward pass.", valueName: "dy.npy"))
    var gradOutput: String?
    @Option(help: ArgumentHelp("Gradient of the final h.", valueName: "dhn.npy")) var gradStateOut: String?
    @Option(help: ArgumentHelp("Gradient of the final c of an LSTM.", valueName: "dcn.npy"))
    var gradCellStateOut: String?
    @Option(help: ArgumentHelp("Folder for the gradients of input, states and weights.", valueName: "folder"))
    var gradDir: String?

    func validate() throws {
        guard (kind == nil) != (symbol == nil) else {
            throw ValidationError("Give either --kind, for a stack of layers, or --symbol, for a graph.")
        }
        if cellState != nil && state == nil { throw ValidationError("--cell-state needs --state as well.") }
        if gradOutput == nil && (gradStateOut != nil || gradCellStateOut != nil) {
            throw ValidationError("--grad-state-out and --grad-cell-state-out need --grad-output as well.")
        }
        if (gradOutput == nil) != (gradDir == nil) {
            throw ValidationError("--grad-output and --grad-dir go together; give both or neither.")
        }
        if precision != .float32 && gradOutput != nil {
            throw ValidationError("--precision \(precision.rawValue) is for inference; leave out --grad-output.")
        }
        if (clipMin == nil) != (clipMax == nil) {
            throw ValidationError("--clip-min and --clip-max go together; give both or neither.")
        }
        if clipNan && clipMin == nil { throw ValidationError("--clip-nan needs --clip-min and --clip-max as well.") }
        for (flag, value) in [("--clip-min", clipMin), ("--clip-max", clipMax)] where value?.isNaN == true {
            throw ValidationError("\(flag) is nan, expected a number or inf.")
        }
        if let clipMin, let clipMax, clipMin > clipMax {
            throw ValidationError("--clip-min \(clipMin) must not be greater than --clip-max \(clipMax).")
        }
        if symbol != nil && (clipMin != nil || axes != .TNC || precision != .float32) {
            throw ValidationError(
                "--axes, --clip-min and --precision are for --kind; a graph has axes and limits within.")
        }
        if let kind { try validateCellState(kind) }
        let outputs = [("--output", output), ("--state-out", stateOut), ("--cell-state-out", cellStateOut)]
        for case (let flag, let path?) in outputs {
            if let reader = reader(of: path, exceptFor: flag) {
                throw ValidationError("\(flag) \(path) would replace what \(reader) reads; name another file.")
            }
        }
        // Under whatever name; what is no place to write is refused when it is written.
        let paths = outputs.compactMap(\.1).map { (try? OutputFiles.target($0)) ?? $0 }
        if Set(paths).count < paths.count {
            throw ValidationError("--output, --state-out and --cell-state-out must name different files.")
        }
    }

    /// Flags of files that are read.
    private var readers: [(flag: String, path: String?)] {
        [
            ("--weights", weights), ("--symbol", symbol), ("--input", input), ("--state", state),
            ("--cell-state", cellState), ("--lengths", lengths), ("--grad-output", gradOutput),
            ("--grad-state-out", gradStateOut), ("--grad-cell-state-out", gradCellStateOut),
        ]
    }

    /// The flag of the file that a result of another flag would replace; nil if there is none. States may replace the ones
    /// before them.
    func reader(of path: String, exceptFor flag: String? = nil) -> String? {
        guard let file = FileIdentity(path) else { return nil }
        let successors = ["--state-out": "--state", "--cell-state-out": "--cell-state"]
        return readers.first { reader in
            reader.path.flatMap { FileIdentity($0) } == file && flag.flatMap { successors[$0] } != reader.flag
        }?.flag
    }

    private func validateCellState(_ kind: RecurrentKind) throws {
        if clipMin != nil && kind != .lstm {
            throw ValidationError("--clip-min and --clip-max are for --kind lstm; \(kind.rawValue) has no cell state.")
        }
        let cellFlags = [
            ("--cell-state", cellState), ("--cell-state-out", cellStateOut),
            ("--grad-cell-state-out", gradCellStateOut),
        ]
        if !kind.hasCellState, let flag = cellFlags.first(where: { $0.1 != nil })?.0 {
            throw ValidationError("\(flag) is for --kind lstm; \(kind.rawValue) has no cell state.")
        }
    }

    /// What the ranks of a job must agree on: the flags that are no files, and the files' contents.
    var evidence: [(name: String, value: String)] {
        get throws {
            return [
                ("the flags", "\(kind?.rawValue ?? "") \(axes) \(precision) \(String(describing: stateClip))"),
                (
                    "the files (SHA-256)",
                    try readers.map { flag, path in
                        try path.map { "\(flag) \(try SHA256Digest(ofFile: $0))" } ?? ""
                    }.joined(separator: " ")
                ),
            ]
        }
    }

    /// Limits of c, if given.
    var stateClip: StateClip? {
        guard let clipMin, let clipMax else { return nil }
        return StateClip(lower: clipMin, upper: clipMax, replacesNaN: clipNan)
    }
}
