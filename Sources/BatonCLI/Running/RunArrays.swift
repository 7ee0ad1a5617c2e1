import Baton
import BatonChecks

/// The arrays `baton run` reads, checked against the weights and each other before anything is computed.
struct RunArrays {
    /// (T, N, C) or (N, T, C).
    let input: Tensor
    /// T.
    let steps: Int
    /// N.
    let batch: Int
    /// Valid lengths of the rows; nil is T for all.
    let lengths: [Int]?
    /// h, or h and c, (L·D, N, R) and (L·D, N, H); nil is zero.
    let states: [Tensor?]
    /// Gradient of the output, (T, N, D·R) or (N, T, D·R).
    let outputGradient: Tensor?
    /// Gradients of the final states, as `states`.
    let stateGradients: [Tensor?]

    /// Reads all files that the options name.
    ///
    /// - Throws: `FormatError` when a file is missing or damaged; `CommandFailure` that names both shapes or both types
    ///   when an array does not fit.
    init(_ options: RunOptions, _ weights: RecurrentStackWeights) throws {
        let input = try NPYFile.read(path: options.input)
        let batchFirst = options.axes == .NTC
        let axes = batchFirst ? "(N, T, \(weights.inputSize))" : "(T, N, \(weights.inputSize))"
        guard input.rank == 3, input.shape[2] == weights.inputSize else {
            throw CommandFailure(
                "\(options.input) has shape \(input.shape), but the weights in \(options.weights) take \(axes); "
                    + (input.rank == 3
                        ? "give an input with \(weights.inputSize) features."
                        : "give an input with three axes"
                            + (input.rank == 2
                                ? ", for one row \(batchFirst ? "array[None]" : "array[:, None]")." : "."))
            )
        }
        let (steps, batch) = batchFirst ? (input.shape[1], input.shape[0]) : (input.shape[0], input.shape[1])
        guard steps > 0, batch > 0 else {
            throw CommandFailure(
                "\(options.input) has shape \(input.shape), where \(axes) needs at least one step and one row; "
                    + "give an input that is not empty.")
        }
        func checked(_ tensor: Tensor, _ path: String, _ shape: [Int]) throws -> Tensor {
            guard tensor.dtype == weights.dtype else {
                throw CommandFailure(
                    "\(path) is \(tensor.dtype.rawValue) \(tensor.shape), but the weights in \(options.weights) are "
                        + "\(weights.dtype.rawValue); convert one of them.")
            }
            guard tensor.shape == shape else {
                throw CommandFailure(
                    "\(path) has shape \(tensor.shape), but for the input \(input.shape) and the weights in "
                        + "\(options.weights) it must be \(shape); save an array of that shape.")
            }
            return tensor
        }
        func read(_ path: String?, _ shape: [Int]) throws -> Tensor? {
            try path.map { try checked(NPYFile.read(path: $0), $0, shape) }
        }
        let width = weights.directionCount * weights.outputSize
        let outputShape = batchFirst ? [batch, steps, width] : [steps, batch, width]
        let slots = weights.layerCount * weights.directionCount
        func readStates(_ hidden: String?, _ cell: String?) throws -> [Tensor?] {
            let first = try read(hidden, [slots, batch, weights.outputSize])
            guard weights.cell.hasCellState else { return [first] }
            return [first, try read(cell, [slots, batch, weights.hiddenSize])]
        }
        self.input = try checked(input, options.input, input.shape)
        self.steps = steps
        self.batch = batch
        lengths = try options.lengths.map { try Self.lengths($0, steps: steps, batch: batch) }
        states = try readStates(options.state, options.cellState)
        outputGradient = try read(options.gradOutput, outputShape)
        stateGradients = try readStates(options.gradStateOut, options.gradCellStateOut)
    }

    private static func lengths(_ path: String, steps: Int, batch: Int) throws -> [Int] {
        let tensor = try NPYFile.read(path: path)
        let values: [Int]
        switch tensor.dtype {
        case .int32: values = tensor.elements(as: Int32.self).map { Int($0) }
        case .int64: values = tensor.elements(as: Int64.self).map { Int($0) }
        case .float32, .float64:
            throw CommandFailure(
                "\(path) is \(tensor.dtype.rawValue), expected int32 or int64; save array.astype('<i4') instead.")
        }
        guard tensor.shape == [batch] else {
            throw CommandFailure(
                "\(path) has shape \(tensor.shape), but the input has \(counted(batch, "row")); give lengths of shape [\(batch)]."
            )
        }
        if let row = values.firstIndex(where: { !(0...steps ~= $0) }) {
            throw CommandFailure(
                "\(path) gives row \(row) the length \(values[row]), but lengths are 0 to \(steps), the steps of the "
                    + "input; correct it.")
        }
        return values
    }
}
