import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Foundation
import Testing

@Suite struct TrainerTests {
    private struct Golden: Decodable {
        let start: [String: [Double]]
        let gradients: [[String: [Double]]]
        let rules: [String: [[String: [Double]]]]
        let schedules: [String: [Double]]
    }

    private func golden() throws -> Golden {
        try JSONDecoder().decode(Golden.self, from: Data(contentsOf: trainerGoldens))
    }

    private static let rules: [(name: String, rate: Double, rule: any UpdateRule)] = [
        ("sgd", 0.1, SGDRule()), ("sgd-momentum", 0.1, SGDRule(momentum: 0.9, weightDecay: 0.05, clipGradient: 0.2)),
        ("adam", 0.05, AdamRule(epsilon: 1e-2)),
        ("adam-decay", 0.05, AdamRule(beta1: 0.8, beta2: 0.95, weightDecay: 0.1, clipGradient: 0.15)),
        ("rmsprop", 0.05, RMSPropRule(gamma1: 0.8, epsilon: 1e-2, weightDecay: 0.1, clipGradient: 0.2)),
        (
            "rmsprop-centered", 0.05,
            RMSPropRule(
                gamma1: 0.8, gamma2: 0.7, epsilon: 1e-2, centered: true, clipWeights: 0.9, weightDecay: 0.1,
                clipGradient: 0.2)
        ),
    ]

    private func makeParameters(_ golden: Golden, _ dtype: DType) throws -> ParameterDict {
        let parameters = ParameterDict()
        for (name, values) in golden.start.sorted(by: { $0.key < $1.key }) {
            let parameter = try parameters.get(name, shape: [values.count], dtype: dtype)
            parameter.setData(Tensor(doubles: values, shape: [values.count], dtype: dtype))
        }
        parameters["b"]?.learningRateMultiplier = 0.5
        parameters["b"]?.weightDecayMultiplier = 2
        return parameters
    }

    private func give(_ gradients: [String: [Double]], to parameters: ParameterDict) {
        for (name, values) in gradients {
            guard let parameter = parameters[name] else { continue }
            parameter.gradient.copyElements(
                from: Tensor(doubles: values, shape: [values.count], dtype: parameter.dtype))
            parameter.hasFreshGradient = true
            parameter.hasCombinedGradient = false
        }
    }

    @Test(arguments: [DType.float32, .float64]) func updatesAreMXNets(_ dtype: DType) throws {
        let golden = try golden()
        #expect(golden.rules.count == Self.rules.count)
        for (name, rate, rule) in Self.rules {
            let parameters = try makeParameters(golden, dtype)
            var trainer = Trainer(parameters, rule, learningRate: rate)
            for (index, gradients) in golden.gradients.enumerated() {
                if index == 3 { try trainer.setLearningRate(rate / 4) }
                if index == 4 {
                    // Stop and resume.
                    let other = Trainer(parameters, rule, learningRate: rate / 4)
                    try other.load(stateTensors: trainer.stateTensors)
                    trainer = other
                }
                give(gradients, to: parameters)
                try trainer.step(batchSize: 8)
                for parameter in parameters.parameters {
                    let expected = try #require(golden.rules[name]?[index][parameter.name])
                    // MXNet computed in f32: an update is some ten roundings, of which six follow each other.
                    let tolerance = 64 * Double(Float.ulpOfOne)
                    #expect(
                        Tolerance.violation(
                            "\(name) \(index)", parameter.data.doubles(), expected, tolerance: tolerance) == nil)
                }
            }
            #expect(trainer.updateCount == 6)
        }
    }

    @Test func schedulesAreMXNets() throws {
        let schedules: [String: any LearningRateScheduler] = [
            "factor": FactorScheduler(step: 3, factor: 0.5, stopRate: 0.05, baseRate: 0.3),
            "factor-warmup": FactorScheduler(
                step: 4, factor: 0.9, baseRate: 0.3, warmUp: WarmUp(steps: 5, beginRate: 0.1)),
            "multi": MultiFactorScheduler(steps: [2, 5, 9], factor: 0.3, baseRate: 0.3),
            "poly": PolyScheduler(
                maxUpdate: 10, baseRate: 0.3, power: 3, finalRate: 0.02, warmUp: WarmUp(steps: 2)),
            "cosine": CosineScheduler(
                maxUpdate: 10, baseRate: 0.3, finalRate: 0.02,
                warmUp: WarmUp(steps: 3, beginRate: 0.05, mode: .constant)),
        ]
        for (name, expected) in try golden().schedules {
            let schedule = try #require(schedules[name])
            let rates = (1...expected.count).map { schedule.learningRate(update: $0) }
            #expect(Tolerance.violation(name, rates, expected, tolerance: 1e-14) == nil)
        }
    }

    @Test func aScheduleSetsTheRateOfEveryUpdate() throws {
        let golden = try golden()
        let parameters = try makeParameters(golden, .float64)
        let trainer = Trainer(
            parameters, SGDRule(), schedule: MultiFactorScheduler(steps: [1], factor: 0.5, baseRate: 0.1))
        #expect(throws: NNError.self) { try trainer.setLearningRate(1) }
        let start = golden.start["a"]?[0] ?? 0
        for _ in 0..<2 {
            give(["a": [1, 1, 1, 1], "b": [0, 0, 0]], to: parameters)
            try trainer.step(batchSize: 2)
        }
        #expect(abs((parameters["a"]?.data.doubles()[0] ?? 0) - (start - 0.05 - 0.025)) < 1e-15)
        #expect(trainer.learningRate == 0.05)
    }

    @Test func aStaleGradientIsRefusedOrPassedOver() throws {
        let golden = try golden()
        let parameters = try makeParameters(golden, .float64)
        let trainer = Trainer(parameters, SGDRule(), learningRate: 1)
        give(["a": [1, 1, 1, 1]], to: parameters)
        let error = #expect(throws: NNError.self) { try trainer.update(batchSize: 1) }
        #expect(error?.message.contains("gradient of b") == true)
        #expect(parameters["a"]?.data.doubles() == golden.start["a"])
        try trainer.step(batchSize: 1, ignoreStaleGradients: true)
        #expect(parameters["a"]?.data.doubles() == golden.start["a"]?.map { $0 - 1 })
        #expect(parameters["b"]?.data.doubles() == golden.start["b"])
        #expect(throws: NNError.self) { try trainer.step(batchSize: 1) }
        parameters.forEach { $0.gradientRequirement = .null }
        try trainer.step(batchSize: 1)
    }

    /// As the message of the refusal advises. What was summed already is not summed again.
    @Test(arguments: [false, true]) func afterARefusalAStepMayGoOn(passes: Bool) throws {
        let golden = try golden()
        let parameters = try makeParameters(golden, .float64)
        var sums = 0
        let trainer = Trainer(parameters, SGDRule(), learningRate: 1) { _ in sums += 1 }
        give(["a": [1, 1, 1, 1]], to: parameters)
        #expect(throws: NNError.self) { try trainer.step(batchSize: 1) }
        if passes { give(["a": [2, 2, 2, 2], "b": [0, 0, 0]], to: parameters) }
        try trainer.step(batchSize: 1, ignoreStaleGradients: !passes)
        #expect(sums == (passes ? 2 : 1))
        #expect(parameters["a"]?.data.doubles() == golden.start["a"]?.map { $0 - (passes ? 2 : 1) })
    }

    @Test func gradientsAreCombinedBeforeTheUpdate() throws {
        let golden = try golden()
        let parameters = try makeParameters(golden, .float64)
        let trainer = Trainer(parameters, SGDRule(), learningRate: 1) { combined in
            for parameter in combined { parameter.gradient.scale(by: 2) }
        }
        give(["a": [1, 1, 1, 1], "b": [0, 0, 0]], to: parameters)
        try trainer.step(batchSize: 4)
        #expect(parameters["a"]?.data.doubles() == golden.start["a"]?.map { $0 - 0.5 })
    }

    @Test func statesOfAnotherModelOrOptimiserAreRefused() throws {
        let golden = try golden()
        let parameters = try makeParameters(golden, .float64)
        let trainer = Trainer(parameters, AdamRule())
        give(golden.gradients[0], to: parameters)
        try trainer.step(batchSize: 1)
        let states = trainer.stateTensors
        #expect(states.map(\.name) == ["a/mean", "a/variance", "a/updates", "b/mean", "b/variance", "b/updates"])
        #expect(throws: NNError.self) { try Trainer(parameters, SGDRule()).load(stateTensors: states) }
        #expect(throws: NNError.self) { try trainer.load(stateTensors: Array(states.dropFirst())) }
        let wrong = [("a/mean", Tensor(zeros: [5], dtype: .float64))] + states.dropFirst()
        let error = #expect(throws: NNError.self) { try trainer.load(stateTensors: wrong) }
        #expect(error?.message.contains("[5]") == true && error?.message.contains("[4]") == true)
    }

    @Test func clippingScalesToTheMaximum() throws {
        let tensors = [Tensor([Float(3), 0], shape: [2]), Tensor([Float(4)], shape: [1])]
        #expect(try clipGlobalNorm(tensors, maximum: 10) == 5)
        #expect(tensors[0].elements(as: Float.self) == [3, 0])
        #expect(try clipGlobalNorm(tensors, maximum: 1) == 5)
        #expect(abs(tensors[0].doubles()[0] - 0.6) < 1e-7 && abs(tensors[1].doubles()[0] - 0.8) < 1e-7)
        let broken = [Tensor([Float.nan, 2], shape: [2])]
        #expect(throws: NNError.self) { try clipGlobalNorm(broken, maximum: 1) }
        #expect(broken[0].elements(as: Float.self)[1] == 2)
    }

    @Test func dataIsSplitAlongAnAxis() throws {
        let data = Tensor((0..<14).map { Float($0) }, shape: [7, 2])
        #expect(throws: NNError.self) { try splitData(data, into: 3) }
        #expect(throws: NNError.self) { try splitData(data, into: 8, even: false) }
        #expect(try splitData(data, into: 3, even: false).map { $0.shape[0] } == [3, 2, 2])
        let columns = try splitData(data, into: 2, batchAxis: 1)
        #expect(columns[1].elements(as: Float.self) == [1, 3, 5, 7, 9, 11, 13])
    }

    /// Clipping asks for the sum, and `step` must not make it again; after another backward pass it must.
    @Test func gradientsAreSummedOnceAfterABackwardPass() throws {
        let layer = Dense(units: 1, useBias: false, inUnits: 1, prefix: "d_")
        layer.initialize(ConstantInitializer(1), seed: 1)
        var sums = 0
        let trainer = Trainer(try layer.collectParams(), SGDRule(), learningRate: 1) { parameters in
            sums += 1
            for parameter in parameters { parameter.gradient.scale(by: 2) }
        }
        // In the third step the sum is looked at and given up.
        for (step, updates) in [(1, 1.0), (2, 2), (3, 2), (4, 3)] {
            let tape = Tape()
            let input = Variable(Tensor(doubles: [3], shape: [1, 1], dtype: .float32))
            tape.backward(layer(input, .training(rows: 1, tape: tape, random: RandomKey(seed: 0))))
            if step != 2 {
                try trainer.combineGradients()
                #expect(trainer.gradients.map { $0.doubles() } == [[6]])
            }
            if step != 3 { try trainer.step(batchSize: 1) }
            #expect(sums == step)
            #expect(layer.weight.data.doubles() == [1 - 6 * updates])
        }
    }

    @Test func valuesThatWereTakenStayAsTheyWere() throws {
        let layer = Dense(units: 1, useBias: false, inUnits: 1)
        layer.initialize(ConstantInitializer(1), seed: 1)
        let best = try layer.parameterValues()
        layer.weight.setData(Tensor(doubles: [5], shape: [1, 1], dtype: .float32))
        try layer.load(best)
        #expect(layer.weight.data.doubles() == [1])
    }
}
