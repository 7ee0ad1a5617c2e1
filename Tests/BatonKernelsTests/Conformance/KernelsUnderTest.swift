import BatonTestSupport
import Foundation

@testable import BatonKernels

/// A backend for one scalar type, as the conformance suites see it.
protocol KernelsUnderTest: Sendable, CustomStringConvertible {
    associatedtype Scalar: BinaryFloatingPoint & BitPatterned & Sendable
    /// Whether every row is independent of all others, and finished rows of gradients are told.
    var isPacked: Bool { get }
    func recurrentWeights(_ shape: RecurrentShape) -> any RecurrentWeights<Scalar>
    func recurrentSequence(
        _ weights: any RecurrentWeights<Scalar>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan
    ) -> any RecurrentSequence<Scalar>
    func recomputedSequence(
        _ weights: any RecurrentWeights<Scalar>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan, chunk: Int
    ) -> any RecurrentSequence<Scalar>
    func linear(units: Int, width: Int) -> any LinearKernel<Scalar>
}

/// Every backend the suites run on. `BATON_ISA` chooses the instruction set of the packed kernels for the process;
/// `BATON_TEST_KERNELS=packed` leaves out OpenBLAS, for emulated processors, which take hours for it.
let kernelsUnderTest: [any KernelsUnderTest] = {
    let packed = BackendKernels<Float>(backend: .packed)
    if ProcessInfo.processInfo.environment["BATON_TEST_KERNELS"] == "packed" { return [packed] }
    return [BackendKernels<Double>(backend: .blas), BackendKernels<Float>(backend: .blas), packed]
}()

/// What the public factories make.
struct BackendKernels<Scalar: KernelScalar & BitPatterned>: KernelsUnderTest {
    let backend: KernelBackend
    var description: String { "\(Scalar.self) \(backend)" }
    var isPacked: Bool { backend == .packed }

    func recurrentWeights(_ shape: RecurrentShape) -> any RecurrentWeights<Scalar> {
        Scalar.makeRecurrentWeights(shape, backend: backend)
    }

    func linear(units: Int, width: Int) -> any LinearKernel<Scalar> {
        Scalar.makeLinearKernel(units: units, width: width, backend: backend)
    }
}

/// Windows over weights, which know their backend.
extension KernelsUnderTest where Scalar: KernelScalar {
    func recurrentSequence(
        _ weights: any RecurrentWeights<Scalar>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan
    ) -> any RecurrentSequence<Scalar> {
        Scalar.makeRecurrentSequence(
            weights: weights, steps: steps, batch: batch, reverse: reverse, leaves: leaves)
    }

    func recomputedSequence(
        _ weights: any RecurrentWeights<Scalar>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan, chunk: Int
    ) -> any RecurrentSequence<Scalar> {
        Scalar.makeRecomputedSequence(
            weights: weights, steps: steps, batch: batch, reverse: reverse, leaves: leaves, chunk: chunk)
    }
}
