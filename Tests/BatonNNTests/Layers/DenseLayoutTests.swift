import BatonKernels
import BatonTensor
import Testing

@testable import BatonNN

@Suite struct DenseLayoutTests {
    private func wave(_ shape: [Int], period: Int, _ dtype: DType) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { Double($0 % period) / Double(period) - 0.4 }
        return dtype == .float32 ? Tensor(values.map { Float($0) }, shape: shape) : Tensor(values, shape: shape)
    }

    /// The weight gradient of several calls is one chain over all of them, in whatever order of axes they came.
    @Test(arguments: [DType.float32, .float64])
    func callsOnRowsBeforeTimesHaveTheGradientsOfTimesBeforeRows(dtype: DType) {
        func gradients(_ layout: SequenceLayout) -> [[Double]] {
            let layer = Dense(units: 4, inUnits: 3, layout: layout, dtype: dtype, prefix: "net_")
            layer.initialize(UniformInitializer(0.5), seed: 1)
            let arena = ParameterArena(layer.collectParameters())
            arena.beginStep()
            let tape = Tape()
            let context = ForwardContext(tape: tape, leaves: .whole(rows: 5))
            func placed(_ tensor: Tensor) -> Tensor { layout == .TNC ? tensor : tensor.withSwappedLeadingAxes() }
            var seeds: [(Variable, Tensor)] = []
            var inputs: [Variable] = []
            for steps in [2, 3] {
                let x = Variable(placed(wave([steps, 5, 3], period: 7 + steps, dtype)), requiresGradient: true)
                let y = layer(x, context)
                inputs.append(x)
                seeds.append((y, placed(wave([steps, 5, 4], period: 11 + steps, dtype))))
            }
            tape.backward(from: seeds)
            return arena.gradients.map { $0.doubles() }
                + inputs.compactMap { $0.gradient.map { placed($0).doubles() } }
        }
        let timeMajor = gradients(.TNC)
        #expect(timeMajor.count == 3 && timeMajor[0].contains { $0 != 0 })
        #expect(gradients(.NTC) == timeMajor)
    }
}
