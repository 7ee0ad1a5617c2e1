import BatonKernels
import BatonTensor
import Testing

/// A gradient over the batch is one chain per leaf: last use first, then time from the end, rows ascending. Bits of
/// several processes agree only where that order holds; 2²⁴ + 1 is no f32, so sums show it. (Of embeddings:
/// `OperationGradientTests`.)
@Suite struct GradientOrderTests {
    private static let large: Float = 0x1p24

    /// From the last to the first (−2²⁴ + 2²⁴) + 1 = 1, from the first to the last (1 + 2²⁴) − 2²⁴ = 0.
    private static let terms: [Float] = [1, large, -large]

    private static func parameter(_ name: String, _ shape: [Int], _ value: Float = 1) -> Parameter {
        let parameter = Parameter(name: name, shape: shape)
        parameter.setData(Tensor(repeating: value, shape: shape))
        return parameter
    }

    @Test func shiftsOfANormalizationAddFromTheLastTime() {
        let (tape, gain, bias) = (Tape(), Self.parameter("gain", [1]), Self.parameter("bias", [1], 0))
        let x = Variable(Tensor(zeros: [3, 1, 1]))
        let output = ForwardContext.training(rows: 1, tape: tape, random: RandomKey(seed: 0)).layerNorm(
            x, gain: gain, bias: bias)
        tape.backward(from: [(output, Tensor(Self.terms, shape: [3, 1, 1]))])
        #expect(bias.gradient.elements(as: Float.self) == [1])
    }

    @Test func shiftsOfANormalizationAddFromTheLastUse() {
        let (tape, gain, bias) = (Tape(), Self.parameter("gain", [1]), Self.parameter("bias", [1], 0))
        let context = ForwardContext.training(rows: 1, tape: tape, random: RandomKey(seed: 0))
        let outputs = Self.terms.map { _ in
            context.layerNorm(Variable(Tensor(zeros: [1, 1])), gain: gain, bias: bias)
        }
        tape.backward(from: zip(outputs, Self.terms).map { ($0, Tensor([$1], shape: [1, 1])) })
        #expect(bias.gradient.elements(as: Float.self) == [1])
    }

    /// OpenBLAS adds the terms of a product in an order of its own, the same for every process.
    @Test(.enabled(if: KernelSelection.active.backend == .packed, "OpenBLAS orders the terms of a product itself"))
    func weightsOfALinearProductAddFromTheLastUse() {
        let (tape, weight) = (Tape(), Self.parameter("weight", [1, 1]))
        let context = ForwardContext.training(rows: 1, tape: tape, random: RandomKey(seed: 0))
        let product = makeLinearProduct(units: 1, width: 1, dtype: .float32)
        product.update(weight: weight.data, bias: nil, training: true)
        let outputs = Self.terms.map { _ in
            context.linear(
                Variable(Tensor(repeating: Float(1), shape: [1, 1])), weight: weight, bias: nil, product: product)
        }
        tape.backward(from: zip(outputs, Self.terms).map { ($0, Tensor([$1], shape: [1, 1])) })
        #expect(weight.gradient.elements(as: Float.self) == [1])
    }
}
