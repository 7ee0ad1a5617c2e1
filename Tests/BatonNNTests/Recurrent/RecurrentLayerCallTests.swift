import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// States, lengths, and which gradients are asked for, on stacks in f64.
@Suite struct RecurrentLayerCallTests {
    private func lstm(
        layers: Int = 2, dropout: Double = 0, projection: Int? = nil, lengths: Bool = false, bidirectional: Bool = true
    ) -> LSTM {
        let layer = LSTM(
            hiddenSize: 4, numLayers: layers, dropout: dropout, bidirectional: bidirectional, inputSize: 3,
            projectionSize: projection, dtype: .float64, useSequenceLength: lengths, prefix: "net_")
        layer.initialize(UniformInitializer(0.6), seed: 2)
        return layer
    }

    private func random(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
        var random = SeededRandom(seed: seed)
        return Tensor(random.array(shape.reduce(1, *)), shape: shape)
    }

    @Test func statesAreDescribedAndMade() {
        let layer = lstm(projection: 2)
        let info = layer.stateInfo(batchSize: 5)
        #expect(info.map(\.shape) == [[4, 5, 2], [4, 5, 4]])
        #expect(info.map(\.layout) == ["LNC", "LNC"] && info.map(\.dtype) == [.float64, .float64])
        #expect(layer.stateInfo().map(\.shape) == [[4, 0, 2], [4, 0, 4]])
        let zeros = layer.beginState(batchSize: 5)
        #expect(
            zeros.map(\.shape) == info.map(\.shape) && zeros.allSatisfy { $0.value.doubles().allSatisfy { $0 == 0 } })
        let ones = layer.beginState(batchSize: 5, .ones)
        #expect(ones.allSatisfy { $0.value.doubles().allSatisfy { $0 == 1 } })
        var names: [String] = []
        _ = layer.beginState(
            batchSize: 1,
            StateFunction { name, info in
                names.append(name)
                return Tensor(zeros: info.shape, dtype: info.dtype)
            }, dtype: .float32)
        #expect(names == ["net_h0_0", "net_h0_1"])
        #expect(layer.beginState(batchSize: 1, dtype: .float32).allSatisfy { $0.dtype == .float32 })
        #expect(GRU(hiddenSize: 4, prefix: "g_").stateInfo(batchSize: 1).map(\.shape) == [[1, 1, 4]])
    }

    @Test func aProjectionOfZeroIsNone() {
        let layer = LSTM(hiddenSize: 4, projectionSize: 0, prefix: "net_")
        #expect(layer.projectionSize == nil && layer.outputSize == 4 && layer.collectParameters().count == 4)
    }

    @Test func projectedParametersHaveGluonsNamesShapesAndOrder() {
        let layer = lstm(projection: 2)
        #expect(
            layer.collectParameters().prefix(6).map(\.name) == [
                "net_l0_i2h_weight", "net_l0_h2h_weight", "net_l0_i2h_bias", "net_l0_h2h_bias", "net_l0_h2r_weight",
                "net_r0_i2h_weight",
            ])
        #expect(layer.collectParameters().prefix(5).map(\.shape) == [[16, 3], [16, 2], [16], [16], [2, 4]])
        #expect(layer.directions[2].inputWeight.shape == [16, 4])
        // Parity 2.13: per layer and direction G·H·(I + R + 2), and L·D·P·H for the projections.
        let expected = 2 * 16 * (3 + 2 + 2) + 2 * 16 * (4 + 2 + 2) + 4 * 2 * 4
        #expect(layer.collectParameters().map(\.count).reduce(0, +) == expected)
    }

    @Test func twelveLayersWork() {
        let layer = lstm(layers: 12, bidirectional: false)
        #expect(layer.collectParameters().last?.name == "net_l11_h2h_bias")
        #expect(layer(Variable(random([3, 2, 3])), .inference(rows: 2)).shape == [3, 2, 4])
    }

    @Test func castChangesParametersAndStates() {
        let layer = LSTM(hiddenSize: 4, inputSize: 3, projectionSize: 2, prefix: "net_")
        layer.initialize(seed: 1)
        let single = layer(Variable(Tensor(repeating: Float(0.5), shape: [2, 1, 3])), .inference(rows: 1))
        layer.cast(to: .float64)
        #expect(layer.dtype == .float64 && layer.stateInfo(batchSize: 1).allSatisfy { $0.dtype == .float64 })
        #expect(layer.beginState(batchSize: 1).allSatisfy { $0.dtype == .float64 })
        let double = layer(Variable(Tensor(repeating: 0.5, shape: [2, 1, 3])), .inference(rows: 1))
        let violation = Tolerance.violation(
            "output", single.value.elements(as: Float.self).map { Double($0) }, double.value.doubles(),
            tolerance: Tolerance.relative(epsilon: Double(Float.ulpOfOne), depth: 2 * (3 + 2 + 4)))
        #expect(double.dtype == .float64 && violation == nil)
    }

    @Test(arguments: [false, true]) func aWindowOfNoStepsHandsStatesThrough(lengths: Bool) {
        let layer = lstm(lengths: lengths)
        let states = layer.beginState(batchSize: 2, StateFunction { self.random($1.shape) })
        let result = layer(
            Variable(Tensor(zeros: [0, 2, 3], dtype: .float64)), states: states,
            sequenceLength: lengths ? [0, 0] : nil, .inference(rows: 2))
        #expect(result.output.shape == [0, 2, 8])
        #expect(result.states.map { $0.value.doubles() } == states.map { $0.value.doubles() })
    }

    /// What lies past a length is never read: NaN there changes nothing, and its gradient is zero.
    @Test func rowsEqualTheirOwnWindows() {
        let layer = lstm(layers: 3, projection: 3, lengths: true)
        let plain = lstm(layers: 3, projection: 3)
        let lengths = [2, 5, 0, 4]
        let input = random([5, 4, 3])
        let memory = input.pointer(of: Double.self)
        for (row, length) in lengths.enumerated() {
            for time in length..<5 { for i in 0..<3 { memory[(time * 4 + row) * 3 + i] = .nan } }
        }
        let states = layer.beginState(batchSize: 4, StateFunction { self.random($1.shape, seed: 3) })
        let whole = layer(Variable(input), states: states, sequenceLength: lengths, .inference(rows: 4))
        #expect(
            layer(Variable(input), sequenceLength: lengths, .inference(rows: 4)).value.doubles().allSatisfy {
                $0.isFinite
            })
        for (row, length) in lengths.enumerated() where length > 0 {
            func column(_ tensor: Tensor, outer: Int) -> Tensor {
                let width = tensor.shape[2]
                let values = tensor.doubles()
                var rows: [Double] = []
                for entry in 0..<outer {
                    let start = (entry * 4 + row) * width
                    rows += values[start..<start + width]
                }
                return Tensor(rows, shape: [outer, 1, width])
            }
            let alone = plain(
                Variable(column(input, outer: length)), states: states.map { Variable(column($0.value, outer: 6)) },
                .inference(rows: 1))
            func expectNear(_ a: Tensor, _ b: Tensor) {
                #expect(zip(a.doubles(), b.doubles()).allSatisfy { abs($0 - $1) < 1e-14 })
            }
            expectNear(column(whole.output.value, outer: length), alone.output.value)
            for (state, own) in zip(whole.states, alone.states) { expectNear(column(state.value, outer: 6), own.value) }
            let rest = column(whole.output.value, outer: 5).doubles().dropFirst(length * 6)
            #expect(rest.allSatisfy { $0 == 0 })
        }
    }

    /// Every gradient on its own has the bits it has among all others, also without training mode, where dropout is not
    /// applied although the pass is recorded.
    @Test(arguments: [false, true]) func gradientsCanBeAskedForOneByOne(training: Bool) {
        let layer = lstm(dropout: 0.5, projection: 3, lengths: true)
        let input = random([4, 3, 3])
        let lengths = [4, 2, 3]
        func gradients(parameters wanted: Set<String>, input wantsInput: Bool, states wantsStates: [Bool]) -> [String:
            [Double]]
        {
            for parameter in layer.collectParameters() {
                parameter.gradientRequirement = wanted.contains(parameter.name) ? .write : .null
            }
            let tape = Tape()
            let x = Variable(input, requiresGradient: wantsInput)
            let states = zip(layer.stateInfo(batchSize: 3), wantsStates).map {
                Variable(random($0.shape, seed: 5), requiresGradient: $1)
            }
            let context = ForwardContext(
                tape: tape, isTraining: training, leaves: .whole(rows: 3), random: RandomKey(seed: 4))
            let result = layer(x, states: states, sequenceLength: lengths, context)
            tape.backward(
                from: ([result.output] + result.states).map { ($0, random($0.shape, seed: 6)) })
            var found: [String: [Double]] = [:]
            found["input"] = x.gradient?.doubles()
            for (index, state) in states.enumerated() { found["state\(index)"] = state.gradient?.doubles() }
            for parameter in layer.collectParameters() where wanted.contains(parameter.name) {
                found[parameter.name] = parameter.gradients[0].doubles()
            }
            return found
        }
        let names = layer.collectParameters().map(\.name)
        let all = gradients(parameters: Set(names), input: true, states: [true, true])
        #expect(all.count == names.count + 3)
        #expect(all.values.allSatisfy { $0.contains { $0 != 0 } })
        for name in names {
            #expect(
                gradients(parameters: [name], input: false, states: [false, false]) == [name: all[name] ?? []],
                "\(name)")
        }
        #expect(gradients(parameters: [], input: true, states: [false, false])["input"] == all["input"])
        #expect(gradients(parameters: [], input: false, states: [true, false])["state0"] == all["state0"])
        #expect(gradients(parameters: [], input: false, states: [false, true])["state1"] == all["state1"])
    }

    @Test func dropoutIsNotAppliedInARecordedPrediction() {
        let dropping = lstm(dropout: 0.5)
        let context = ForwardContext(tape: Tape(), isTraining: false, leaves: .whole(rows: 2))
        let input = Variable(random([3, 2, 3]), requiresGradient: true)
        #expect(dropping(input, context).value.doubles() == lstm()(input, context).value.doubles())
    }

    @Test func gradientsAddUpIfAskedTo() {
        let layer = lstm(projection: 3, lengths: true)
        func pass() {
            let tape = Tape()
            let y = layer(
                Variable(random([4, 3, 3])), sequenceLength: [4, 2, 0],
                .training(rows: 3, tape: tape, random: RandomKey(seed: 0)))
            tape.backward(from: [(y, random(y.shape, seed: 7))])
        }
        let parameters = layer.collectParameters()
        pass()
        let once = parameters.map { $0.gradients[0].doubles() }
        pass()
        #expect(parameters.map { $0.gradients[0].doubles() } == once)
        for parameter in parameters { parameter.gradientRequirement = .add }
        pass()
        #expect(parameters.map { $0.gradients[0].doubles() } == once.map { $0.map { 2 * $0 } })
    }
}
