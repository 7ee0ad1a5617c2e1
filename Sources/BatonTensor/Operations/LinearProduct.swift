public import BatonKernelABI
public import BatonKernels

/// The products of a fully connected layer on tensors: y = x·Wᵀ + b, with W (units, width) kept in the form its
/// backend computes with.
///
/// `input` is (T, N, width) or (N, width), `output` likewise with units.
public protocol LinearProduct: AnyObject {
    /// Reads the parameters; to be called after every change. `training` also prepares `backwardData`.
    func update(weight: Tensor, bias: Tensor?, training: Bool)
    /// Writes y.
    func forward(_ input: Tensor, into output: Tensor, leaves: LeafPlan)
    /// dx = dy·W, written or added.
    func backwardData(_ outputGradient: Tensor, into inputGradient: Tensor, adds: Bool, leaves: LeafPlan)
    /// dW += dyᵀ·x and db += Σ dy, one tensor of each per subtree of `leaves`.
    func backwardWeights(
        input: Tensor, outputGradient: Tensor, weightGradients: [Tensor], biasGradients: [Tensor]?,
        leaves: LeafPlan, hook: StepHook)
}

/// The product of an element type, on the backend that `BATON_KERNELS` selects for it.
public func makeLinearProduct(units: Int, width: Int, dtype: DType) -> any LinearProduct {
    func make<Scalar: DifferentiableScalar>(_: Scalar.Type) -> any LinearProduct {
        TypedLinearProduct<Scalar>(units: units, width: width)
    }
    return make(dtype.differentiable(for: "linear"))
}

extension DType {
    /// The backend of products: the selected one for f32; f64 always runs on OpenBLAS.
    public var kernelBackend: KernelBackend { self == .float32 ? KernelSelection.active.backend : .blas }
}

final class TypedLinearProduct<Scalar: DifferentiableScalar>: LinearProduct {
    private let kernel: any LinearKernel<Scalar>
    private let units: Int
    private let width: Int

    init(units: Int, width: Int) {
        self.units = units
        self.width = width
        kernel = Scalar.makeLinearKernel(units: units, width: width, backend: Scalar.dtype.kernelBackend)
    }

    func update(weight: Tensor, bias: Tensor?, training: Bool) {
        precondition(
            weight.shape == [units, width] && (bias.map { $0.shape == [units] } ?? true),
            "linear: expected weight \([units, width]) and bias \([units]), got \(weight.shape) and \(bias?.shape ?? [])"
        )
        kernel.update(
            weight: weight.pointer(of: Scalar.self), bias: bias.map { UnsafePointer($0.pointer(of: Scalar.self)) },
            training: training)
    }

    func forward(_ input: Tensor, into output: Tensor, leaves: LeafPlan) {
        let (steps, batch) = rows(input, width, leaves)
        kernel.forward(
            steps: steps, batch: batch, leaves: leaves, input: input.pointer(of: Scalar.self), inputStride: width,
            output: output.pointer(of: Scalar.self), outputStride: units)
    }

    func backwardData(_ outputGradient: Tensor, into inputGradient: Tensor, adds: Bool, leaves: LeafPlan) {
        let (steps, batch) = rows(outputGradient, units, leaves)
        kernel.backwardData(
            steps: steps, batch: batch, leaves: leaves, outputGradient: outputGradient.pointer(of: Scalar.self),
            outputGradientStride: units, inputGradient: inputGradient.pointer(of: Scalar.self),
            inputGradientStride: width, adds: adds)
    }

    func backwardWeights(
        input: Tensor, outputGradient: Tensor, weightGradients: [Tensor], biasGradients: [Tensor]?,
        leaves: LeafPlan, hook: StepHook
    ) {
        let (steps, batch) = rows(input, width, leaves)
        precondition(
            weightGradients.count == leaves.subtrees.count,
            "linear: \(weightGradients.count) gradients for \(leaves.subtrees.count) subtrees; build the ParameterArena with the subtree count of the leaf plan"
        )
        let destinations = weightGradients.indices.map { index in
            LinearGradientPointers(
                weight: weightGradients[index].pointer(of: Scalar.self),
                bias: biasGradients?[index].pointer(of: Scalar.self))
        }
        kernel.backwardWeights(
            steps: steps, batch: batch, leaves: leaves, input: input.pointer(of: Scalar.self), inputStride: width,
            outputGradient: outputGradient.pointer(of: Scalar.self), outputGradientStride: units,
            gradients: destinations, hook: hook)
    }

    private func rows(_ tensor: Tensor, _ expectedWidth: Int, _ leaves: LeafPlan) -> (steps: Int, batch: Int) {
        let shape = tensor.shape
        precondition(
            (2...3).contains(shape.count) && shape[shape.count - 1] == expectedWidth,
            "linear: expected (T,N,\(expectedWidth)) or (N,\(expectedWidth)), got \(shape)")
        let batch = shape[shape.count - 2]
        precondition(
            leaves.rowCount == batch, "linear: expected \(leaves.rowCount) rows as in the leaf plan, got \(shape)")
        return (shape.count == 3 ? shape[0] : 1, batch)
    }
}
