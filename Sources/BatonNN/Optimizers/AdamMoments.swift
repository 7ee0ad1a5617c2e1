import BatonKernelABI
internal import BatonKernels
import BatonTensor
import Glibc

/// The two moving averages of Adam and AdamW, and the pass over memory they share.
struct AdamMoments {
    let first: Tensor
    let second: Tensor

    init(_ arena: ParameterArena) {
        first = Tensor(zeros: [arena.count], dtype: arena.dtype)
        second = Tensor(zeros: [arena.count], dtype: arena.dtype)
    }

    var states: [(name: String, values: Tensor)] { [("first_moment", first), ("second_moment", second)] }

    /// Step t, counted from 1.
    func update(
        _ arena: ParameterArena, gradient: Tensor, gradientScale: Double, learningRate: Double,
        beta1: Double, beta2: Double, epsilon: Double, gradientDecay: Double, parameterFactor: Double, step: Int
    ) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.adamUpdate(
                AdamUpdateArguments(
                    parameter: arena.data.pointer(of: Scalar.self), gradient: gradient.pointer(of: Scalar.self),
                    firstMoment: first.pointer(of: Scalar.self), secondMoment: second.pointer(of: Scalar.self),
                    count: arena.count, gradientScale: gradientScale, gradientDecay: gradientDecay,
                    parameterFactor: parameterFactor, beta1: beta1, beta2: beta2,
                    stepSize: learningRate / (1 - pow(beta1, Double(step))),
                    correction: (1 - pow(beta2, Double(step))).squareRoot(), epsilon: epsilon))
        }
        run(arena.dtype.differentiable(for: "Adam"))
    }
}
