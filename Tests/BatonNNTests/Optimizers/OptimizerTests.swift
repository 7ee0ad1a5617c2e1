import BatonNN
import BatonTensor
import Foundation
import Testing

/// What `Goldens/make_goldens.py` wrote.
private struct OptimizerGolden: Decodable {
    var start: [String: [Double]]
    var gradients: [[String: [Double]]]
    var norms: [Double]
    var cases: [String: [[String: [Double]]]]

    static func load() throws -> OptimizerGolden {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Goldens/optimizers.json")
        return try JSONDecoder().decode(OptimizerGolden.self, from: Data(contentsOf: file))
    }
}

@Suite struct OptimizerTests {
    private func makeArena(_ start: [String: [Double]], dtype: DType) -> ParameterArena {
        ParameterArena(
            ["b", "a"].map { name in
                let values = start[name] ?? []
                let parameter = Parameter(name: name, shape: [values.count], dtype: dtype)
                parameter.setData(Tensor(doubles: values, shape: [values.count], dtype: dtype))
                return parameter
            })
    }

    private func makeOptimizer(_ name: String, _ arena: ParameterArena) throws -> any Optimizer {
        switch name {
        case "sgd": SGD(arena, learningRate: 0.1)
        case "sgd_momentum_decay": SGD(arena, learningRate: 0.1, momentum: 0.9, weightDecay: 0.05)
        case "adam": Adam(arena, learningRate: 0.01)
        case "adam_decay":
            Adam(arena, learningRate: 0.01, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1)
        case "adamw": AdamW(arena, learningRate: 0.01, weightDecay: 0.2)
        default: throw NNError("no optimiser is called \(name)")
        }
    }

    /// Six steps of a few roundings each; f32 additionally rounds the inputs.
    @Test(
        arguments: ["sgd", "sgd_momentum_decay", "adam", "adam_decay", "adamw"], [DType.float64, .float32])
    func sixClippedStepsEqualPyTorchs(_ name: String, _ dtype: DType) throws {
        let golden = try OptimizerGolden.load()
        let arena = makeArena(golden.start, dtype: dtype)
        let optimizer = try makeOptimizer(name, arena)
        let tolerance = dtype == .float64 ? 1e-14 : 32 * Double(Float.ulpOfOne)
        let expected = try #require(golden.cases[name])
        for (step, gradients) in golden.gradients.enumerated() {
            for slot in arena.slots {
                slot.parameter.gradients[0].copyElements(
                    from: Tensor(
                        doubles: gradients[slot.parameter.name] ?? [], shape: slot.parameter.shape, dtype: dtype))
            }
            let norm = try GradientNorm(arena, gradient: arena.gradients[0])
            #expect(abs(norm.value - golden.norms[step]) <= tolerance * golden.norms[step])
            optimizer.step(gradientScale: norm.clippingFactor(maximum: 1.5))
            for slot in arena.slots {
                let want = expected[step][slot.parameter.name] ?? []
                for (a, e) in zip(slot.parameter.data.doubles(), want) { #expect(abs(a - e) <= tolerance * 2) }
            }
        }
        #expect(optimizer.stepCount == 6)
    }

    @Test func statesAreFoundByParameterAndResumeGivesTheSameBits() throws {
        let golden = try OptimizerGolden.load()
        func arena() -> ParameterArena { makeArena(golden.start, dtype: .float32) }
        func feed(_ optimizer: Adam, _ count: Int) {
            for index in 0..<count {
                let flat = Tensor(zeros: [optimizer.arena.count])
                flat.fill(Double(index + 1) / 10)
                optimizer.step(gradient: flat, gradientScale: 1)
            }
        }
        let whole = Adam(arena())
        feed(whole, 2)
        let copy = arena()
        copy.data.copyElements(from: whole.arena.data)
        let resumed = Adam(copy)
        for (target, source) in zip(resumed.states, whole.states) {
            #expect(target.name == source.name)
            target.values.copyElements(from: source.values)
        }
        resumed.resume(stepCount: whole.stepCount)
        feed(whole, 3)
        feed(resumed, 3)
        #expect(whole.arena.data.elements(as: Float.self) == resumed.arena.data.elements(as: Float.self))
        let parameter = whole.arena.slots[1].parameter
        #expect(whole.state(for: parameter).map(\.name) == ["first_moment", "second_moment"])
        #expect(whole.state(for: parameter).map(\.values.shape) == [[5], [5]])
    }

    @Test func aGradientThatIsNotFiniteIsReportedByName() throws {
        let arena = makeArena(try OptimizerGolden.load().start, dtype: .float32)
        for value in [Float.nan, .infinity] {
            arena.zeroGradients()
            arena.slots[1].parameter.gradients[0].pointer(of: Float.self)[2] = value
            let error = #expect(throws: NNError.self) { _ = try GradientNorm(arena, gradient: arena.gradients[0]) }
            #expect(error?.message.contains("gradient of a is not finite") == true)
        }
    }

    /// Squares are added in the order of the names: behind a's 2⁵⁴ each 1 is lost, before it all eight count.
    @Test func theNormDoesNotDependOnMemoryOrder() throws {
        func norm(_ names: [String]) throws -> Double {
            let parameters = names.map { Parameter(name: $0, shape: [1]) }
            for parameter in parameters { parameter.setData(Tensor(zeros: [1])) }
            let arena = ParameterArena(parameters)
            for slot in arena.slots { slot.parameter.gradients[0].fill(slot.parameter.name == "a" ? 0x1p27 : 1) }
            return try GradientNorm(arena, gradient: arena.gradients[0]).value
        }
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
        #expect(try norm(names) == 0x1p27)
        #expect(try norm(names.reversed()) == 0x1p27)
    }
}
