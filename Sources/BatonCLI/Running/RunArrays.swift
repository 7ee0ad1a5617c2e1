import Baton

/// The arrays `baton run` reads, checked against the weights and each other before anything is computed.
struct RunArrays {
    /// (T, N, C) or (N, T, C).
    let input: Tensor
    /// T.
    let steps: Int
    /// N.
    let batch: Int
    /// h, or h and c, (L·D, N, H) each; nil is zero.
    let states: [Tensor?]
    /// Gradient of the output, (T, N, D·H) or (N, T, D·H).
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
                    + "give an input with \(weights.inputSize) features.")
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
                        + "\(options.weights) it must be \(shape).")
            }
            return tensor
        }
        func read(_ path: String?, _ shape: [Int]) throws -> Tensor? {
            try path.map { try checked(NPYFile.read(path: $0), $0, shape) }
        }
        let width = weights.directionCount * weights.hiddenSize
        let outputShape = batchFirst ? [batch, steps, width] : [steps, batch, width]
        let stateShape = [weights.layerCount * weights.directionCount, batch, weights.hiddenSize]
        func readStates(_ hidden: String?, _ cell: String?) throws -> [Tensor?] {
            let first = try read(hidden, stateShape)
            return weights.cell.hasCellState ? [first, try read(cell, stateShape)] : [first]
        }
        self.input = try checked(input, options.input, input.shape)
        self.steps = steps
        self.batch = batch
        states = try readStates(options.state, options.cellState)
        outputGradient = try read(options.gradOutput, outputShape)
        stateGradients = try readStates(options.gradStateOut, options.gradCellStateOut)
    }
}
