import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Plain cells, in f32 and f64, against the oracle on shapes around the edges of lanes, forward and backward.
@Suite struct CellOracleTests {
    private func makeCell(_ kind: OracleCell, _ shape: NamedShape, _ dtype: DType) -> PlainCell {
        switch kind {
        case .rnnTanh: RNNCell(hiddenSize: shape.hidden, inputSize: shape.inputSize, dtype: dtype, prefix: "c_")
        case .rnnRelu:
            RNNCell(
                hiddenSize: shape.hidden, activation: .relu, inputSize: shape.inputSize, dtype: dtype, prefix: "c_")
        case .lstm: LSTMCell(hiddenSize: shape.hidden, inputSize: shape.inputSize, dtype: dtype, prefix: "c_")
        case .gru: GRUCell(hiddenSize: shape.hidden, inputSize: shape.inputSize, dtype: dtype, prefix: "c_")
        }
    }

    @Test(arguments: OracleCell.allCases, [DType.float32, .float64])
    func unrollingMatchesTheOracle(_ kind: OracleCell, _ dtype: DType) {
        for shape in NamedShapes.recurrent {
            for hybridized in [false, true] {
                #expect(violations(kind, shape, dtype, hybridized) == [], "\(shape) \(hybridized)")
            }
        }
    }

    private func violations(_ kind: OracleCell, _ shape: NamedShape, _ dtype: DType, _ hybridized: Bool) -> [String] {
        var random = SeededRandom(seed: 11)
        let (steps, batch, width, hidden) = (shape.steps, shape.batch, shape.inputSize, shape.hidden)
        /// Values that both types hold exactly, so that the oracle sees what the cell sees.
        func draw(_ count: Int, scale: Double = 1) -> [Double] {
            random.array(count, scale: scale).map { Double(Float($0)) }
        }
        let rows = kind.gateCount * hidden
        let scale = 1 / Double(hidden).squareRoot()
        let parameters = OracleParameters(
            inputWeight: draw(rows * width, scale: scale), hiddenWeight: draw(rows * hidden, scale: scale),
            inputBias: draw(rows, scale: scale), hiddenBias: draw(rows, scale: scale))
        let oracle = OracleLayer(kind, inputSize: width, hidden: hidden, parameters: parameters)
        let input = draw(steps * batch * width)
        let states = (0..<(kind == .lstm ? 2 : 1)).map { _ in draw(batch * hidden) }
        let expected = oracle.forward(
            input, steps: steps, batch: batch, initialHidden: states[0],
            initialCell: states.count > 1 ? states[1] : nil)
        let seeds = [draw(steps * batch * hidden)] + states.map { _ in draw(batch * hidden) }
        let gradients = oracle.backward(
            expected, outputGradient: seeds[0], finalHiddenGradient: seeds[1],
            finalCellGradient: seeds.count > 2 ? seeds[2] : nil)

        let cell = makeCell(kind, shape, dtype)
        let names: [(Parameter, [Double])] = [
            (cell.i2hWeight, parameters.inputWeight), (cell.h2hWeight, parameters.hiddenWeight),
            (cell.i2hBias, parameters.inputBias), (cell.h2hBias, parameters.hiddenBias),
        ]
        for (parameter, values) in names {
            parameter.setData(Tensor(doubles: values, shape: parameter.shape, dtype: dtype))
        }
        if hybridized { cell.hybridize() }
        func variable(_ values: [Double], _ shape: [Int]) -> Variable {
            Variable(Tensor(doubles: values, shape: shape, dtype: dtype), requiresGradient: true)
        }
        let x = variable(input, [steps, batch, width])
        let initial = states.map { variable($0, [batch, hidden]) }
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: batch))
        let result = cell.unroll(x, beginState: initial, layout: .TNC, mergeOutputs: true, context)
        let values = [result.outputs.merged] + result.states
        tape.backward(
            from: zip(values, seeds).map { ($0, Tensor(doubles: $1, shape: $0.shape, dtype: dtype)) })

        let epsilon = dtype == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
        let depth = steps * (width + hidden)
        // Relative to one, the size of states and of what sums up to them.
        let forward = Tolerance.relative(epsilon: epsilon, depth: depth)
        let backward = Tolerance.relative(epsilon: epsilon, depth: depth * batch, backward: true)
        var found: [String?] = [
            Tolerance.violation("y", values[0].value.doubles(), expected.output, scale: 1, tolerance: forward),
            Tolerance.violation("h", values[1].value.doubles(), expected.finalHidden, scale: 1, tolerance: forward),
            Tolerance.violation("dx", x.gradient?.doubles() ?? [], gradients.input, scale: 1, tolerance: backward),
            Tolerance.violation(
                "dh0", initial[0].gradient?.doubles() ?? [], gradients.initialHidden, scale: 1, tolerance: backward),
        ]
        if kind == .lstm {
            found += [
                Tolerance.violation("c", values[2].value.doubles(), expected.finalCell, scale: 1, tolerance: forward),
                Tolerance.violation(
                    "dc0", initial[1].gradient?.doubles() ?? [], gradients.initialCell, scale: 1, tolerance: backward),
            ]
        }
        let wanted = [
            gradients.parameters.inputWeight, gradients.parameters.hiddenWeight, gradients.parameters.inputBias,
            gradients.parameters.hiddenBias,
        ]
        for ((parameter, _), expected) in zip(names, wanted) {
            found.append(
                Tolerance.violation(
                    parameter.name, parameter.gradient.doubles(), expected, scale: 1, tolerance: backward))
        }
        return found.compactMap { $0 }
    }
}
