import BatonNN
import BatonTensor
import Testing

@Suite struct InitializerTests {
    private func values(_ initializer: any Initializer, _ shape: [Int], name: String = "w") -> [Double] {
        let tensor = Tensor(zeros: shape, dtype: .float64)
        initializer.fill(tensor, stream: RandomStream(seed: 3, name: name))
        return tensor.doubles()
    }

    private func deviation(_ values: [Double]) -> Double {
        (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
    }

    @Test func uniformStaysInsideItsRangeAndFillsIt() {
        let drawn = values(UniformInitializer(), [200, 50])
        #expect(drawn.allSatisfy { abs($0) <= 0.07 })
        #expect(drawn.contains { $0 > 0.069 } && drawn.contains { $0 < -0.069 })
    }

    @Test func normalHasItsDeviation() {
        // Standard error of the deviation: σ/√(2n) = 0.7 %.
        #expect(abs(deviation(values(NormalInitializer(0.01), [100, 100])) - 0.01) < 3.5e-4)
    }

    @Test func xavierScalesByItsFan() {
        let bound = (3.0 / 75).squareRoot()
        let drawn = values(XavierInitializer(), [50, 100])
        #expect(drawn.allSatisfy { abs($0) <= bound } && drawn.contains { $0 > 0.98 * bound })
        let inward = values(XavierInitializer(distribution: .gaussian, factor: .fanIn, magnitude: 2), [100, 50])
        #expect(abs(deviation(inward) - 0.2) < 0.01)
    }

    @Test func msraIsXaviersGaussianWithItsSlope() {
        let expected = values(
            XavierInitializer(distribution: .gaussian, factor: .average, magnitude: 2 / (1 + 0.0625)), [7, 9])
        #expect(values(MSRAPreluInitializer(), [7, 9]) == expected)
    }

    @Test(arguments: [[6, 10], [10, 6], [8, 8]], OrthogonalInitializer.Distribution.allCases)
    func orthogonalRowsOrColumnsHaveSquaredNorm(_ shape: [Int], _ distribution: OrthogonalInitializer.Distribution) {
        let drawn = values(OrthogonalInitializer(distribution: distribution), shape)
        let wide = shape[0] <= shape[1]
        let (count, length) = wide ? (shape[0], shape[1]) : (shape[1], shape[0])
        func entry(_ vector: Int, _ index: Int) -> Double {
            drawn[wide ? vector * shape[1] + index : index * shape[1] + vector]
        }
        for a in 0..<count {
            for b in 0...a {
                let product = (0..<length).reduce(0) { $0 + entry(a, $1) * entry(b, $1) }
                #expect(abs(product - (a == b ? 1.414 * 1.414 : 0)) < 1e-13)
            }
        }
    }

    @Test func lstmBiasSetsTheForgetGateOnly() {
        #expect(values(LSTMBiasInitializer(forgetBias: 2), [8]) == [0, 0, 2, 2, 0, 0, 0, 0])
    }

    @Test func numbersBelongToNamesNotToTheOrderOfInitialisation() {
        #expect(values(UniformInitializer(), [5], name: "a") != values(UniformInitializer(), [5], name: "b"))
        func build(_ order: [Int]) -> [[Double]] {
            let blocks = [
                Dense(units: 2, inUnits: 3, dtype: .float64, prefix: "x_"),
                Dense(units: 2, inUnits: 3, dtype: .float64, prefix: "y_"),
            ]
            for index in order { blocks[index].initialize(seed: 5) }
            return blocks.map { $0.weight.data.doubles() }
        }
        #expect(build([0, 1]) == build([1, 0]))
    }

    @Test func pyTorchsDefaultsDependOnTheWidths() {
        let layer = LSTM(hiddenSize: 25, inputSize: 3, dtype: .float64, prefix: "net_")
        let head = Dense(units: 100, inUnits: 16, dtype: .float64, prefix: "head_")
        let table = Embedding(inputDim: 100, outputDim: 100, dtype: .float64, prefix: "table_")
        PyTorchInitialization.initialize(Sequential(prefix: "", [table, layer, head]), seed: 1)
        for parameter in layer.collectParameters() {
            let drawn = parameter.data.doubles()
            #expect(drawn.allSatisfy { abs($0) <= 0.2 } && drawn.contains { abs($0) > 0.15 })
        }
        for parameter in head.collectParameters() {
            let drawn = parameter.data.doubles()
            #expect(drawn.allSatisfy { abs($0) <= 0.25 } && drawn.contains { abs($0) > 0.22 })
        }
        #expect(abs(deviation(table.weight.data.doubles()) - 1) < 0.035)
    }

    /// Values from before are replaced, but a decoder keeps the weight it shares with the embedding.
    @Test func pyTorchsDefaultsReplaceAllValues() {
        func model(_ seeds: [UInt64]) -> [[Double]] {
            let table = Embedding(inputDim: 7, outputDim: 5, dtype: .float64, prefix: "table_")
            let own = Dense(units: 5, inUnits: 5, dtype: .float64, prefix: "own_")
            let shared = Dense(units: 7, inUnits: 5, dtype: .float64, prefix: "table_", params: table.params)
            let model = Sequential(prefix: "", [table, own, shared])
            model.initialize(seed: 9)
            for seed in seeds { PyTorchInitialization.initialize(model, seed: seed) }
            #expect(shared.weight === table.weight && (table.weight.data.doubles().map(abs).max() ?? 0) > 0.5)
            return model.collectParameters().map { $0.data.doubles() }
        }
        #expect(model([1]) == model([2, 1]))
        #expect(zip(model([1]), model([2])).allSatisfy { $0 != $1 })
    }
}
