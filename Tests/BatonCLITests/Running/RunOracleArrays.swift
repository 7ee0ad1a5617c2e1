import Baton
import BatonTestSupport

/// Random arrays for one case of `RunOracleTests`: the files that go in, and what must come out.
struct RunOracleArrays {
    private let input: [Double]
    private let state: [Double]
    private let cellState: [Double]
    private let outputGradient: [Double]
    private let stateGradient: [Double]
    private let cellStateGradient: [Double]

    init(_ shape: RunOracleTests.Case, using random: inout SeededRandom) {
        let slots = shape.layers * shape.directions * shape.batch
        let (states, cellStates) = (slots * shape.outputSize, slots * shape.hidden)
        let rows = shape.steps * shape.batch
        func values(_ count: Int, _ random: inout SeededRandom) -> [Double] {
            random.array(count).rounded(to: shape.dtype)
        }
        input = values(rows * shape.input, &random)
        state = values(states, &random)
        cellState = values(cellStates, &random)
        outputGradient = values(rows * shape.directions * shape.outputSize, &random)
        stateGradient = values(states, &random)
        cellStateGradient = values(cellStates, &random)
    }

    /// Writes all files and returns the command line.
    func write(
        _ shape: RunOracleTests.Case, _ stack: OracleStack, into folder: RunFolder
    ) throws -> [String] {
        let width = shape.directions * shape.outputSize
        let weights = parameters(shape, stack.layers.map { $0.map(\.parameters) })
        var arguments = [
            "run", "--kind", shape.cell.rawValue, "--axes", shape.axes.rawValue,
            "--weights", try folder.writeWeights(weights),
            "--input", try folder.write(ordered(input, shape), axes(shape, shape.input), as: "x.npy"),
            "--output", folder.path("y.npy"), "--state-out", folder.path("hn.npy"), "--grad-dir", folder.path("g"),
            "--grad-output", try folder.write(ordered(outputGradient, shape), axes(shape, width), as: "dy.npy"),
        ]
        func add(_ flag: String, _ values: [Double], if wanted: Bool) throws {
            let width = values.count / (shape.layers * shape.directions * shape.batch)
            if wanted { arguments += [flag, try folder.write(values, stateShape(shape, width), as: flag + ".npy")] }
        }
        if let clip = shape.clip {
            arguments += ["--clip-min", "\(clip.lower)", "--clip-max", "\(clip.upper)"]
            if clip.replacesNaN { arguments.append("--clip-nan") }
        }
        if let lengths = shape.lengths {
            // Both types are read.
            let count = [lengths.count]
            try NPYFile.write(
                shape.axes == .NTC
                    ? Tensor(lengths.map { Int32($0) }, shape: count) : Tensor(lengths.map { Int64($0) }, shape: count),
                to: folder.path("n.npy"))
            arguments += ["--lengths", folder.path("n.npy")]
        }
        try add("--state", state, if: shape.hasStates)
        try add("--grad-state-out", stateGradient, if: shape.hasStateGradients)
        if shape.cell == .lstm {
            arguments += ["--cell-state-out", folder.path("cn.npy")]
            try add("--cell-state", cellState, if: shape.hasStates)
            try add("--grad-cell-state-out", cellStateGradient, if: shape.hasStateGradients)
        }
        return arguments
    }

    /// The oracle's results by the file they are expected in.
    func results(
        _ shape: RunOracleTests.Case, _ stack: OracleStack
    ) -> [(file: String, values: [Double], shape: [Int])] {
        let forward = stack.forward(
            input, steps: shape.steps, batch: shape.batch, initialHidden: shape.hasStates ? state : nil,
            initialCell: shape.hasStates ? cellState : nil, lengths: shape.lengths)
        let backward = stack.backward(
            forward, outputGradient: outputGradient,
            finalHiddenGradient: shape.hasStateGradients ? stateGradient : nil,
            finalCellGradient: shape.hasStateGradients ? cellStateGradient : nil)
        let (hiddenShape, cellShape) = (stateShape(shape, shape.outputSize), stateShape(shape, shape.hidden))
        var files: [(file: String, values: [Double], shape: [Int])] = [
            ("y.npy", ordered(forward.output, shape), axes(shape, shape.directions * shape.outputSize)),
            ("hn.npy", forward.finalHidden, hiddenShape),
            ("g/input.npy", ordered(backward.input, shape), axes(shape, shape.input)),
            ("g/state.npy", backward.initialHidden, hiddenShape),
        ]
        if shape.cell == .lstm {
            files.append(("cn.npy", forward.finalCell, cellShape))
            files.append(("g/cell_state.npy", backward.initialCell, cellShape))
        }
        for (name, values, shape) in parameters(shape, backward.parameters) {
            files.append(("g/\(name).npy", values, shape))
        }
        return files
    }

    /// Parameters, or their gradients, by the case's names; no biases where the case has none.
    private func parameters(
        _ shape: RunOracleTests.Case, _ stack: [[OracleParameters]]
    ) -> [(name: String, values: [Double], shape: [Int])] {
        let rows = shape.cell.gateCount * shape.hidden
        return stack.enumerated().flatMap { layer, directions in
            directions.enumerated().flatMap { direction, one in
                let width = layer == 0 ? shape.input : shape.directions * shape.outputSize
                var roles = [
                    (0, one.inputWeight, [rows, width]), (1, one.hiddenWeight, [rows, shape.outputSize]),
                ]
                if shape.hasBiases { roles += [(2, one.inputBias, [rows]), (3, one.hiddenBias, [rows])] }
                if let projection = shape.projection {
                    roles.append((4, one.projectionWeight, [projection, shape.hidden]))
                }
                return roles.map { role, values, tensorShape in
                    let name = shape.style.name(
                        layer: layer, direction: direction, directions: shape.directions, role: role)
                    return (name, values, tensorShape)
                }
            }
        }
    }

    private func stateShape(_ shape: RunOracleTests.Case, _ width: Int) -> [Int] {
        [shape.layers * shape.directions, shape.batch, width]
    }

    private func axes(_ shape: RunOracleTests.Case, _ width: Int) -> [Int] {
        shape.axes == .NTC ? [shape.batch, shape.steps, width] : [shape.steps, shape.batch, width]
    }

    /// (T, N, ·) in the order of the case's axes.
    private func ordered(_ values: [Double], _ shape: RunOracleTests.Case) -> [Double] {
        guard shape.axes == .NTC else { return values }
        let width = values.count / (shape.steps * shape.batch)
        var result: [Double] = []
        for row in 0..<shape.batch {
            for step in 0..<shape.steps {
                let start = (step * shape.batch + row) * width
                result += values[start..<start + width]
            }
        }
        return result
    }
}
