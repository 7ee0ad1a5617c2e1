import BatonChecks
public import BatonKernelABI
public import BatonKernels

/// The products of a fully connected layer on tensors: y = x·Wᵀ + b, with W (units, width) kept in the form its
/// backend computes with.
///
/// `input` is (T, N, width), with layout NTC (N, T, width), or (N, width), `output` likewise with units.
public protocol LinearProduct: AnyObject {
    /// Reads the parameters; to be called after every change. `training` also prepares `backwardData`.
    func update(weight: Tensor, bias: Tensor?, training: Bool)
    /// Writes y.
    func forward(_ input: Tensor, into output: Tensor, leaves: LeafPlan, layout: SequenceLayout)
    /// dx = dy·W, written or added.
    func backwardData(
        _ outputGradient: Tensor, into inputGradient: Tensor, adds: Bool, leaves: LeafPlan, layout: SequenceLayout)
    /// dW += dyᵀ·x and db += Σ dy, one tensor of each per subtree of `leaves`.
    func backwardWeights(
        input: Tensor, outputGradient: Tensor, weightGradients: [Tensor], biasGradients: [Tensor]?,
        leaves: LeafPlan, layout: SequenceLayout, hook: StepHook)
}

/// The products of sequences whose first axis is time, and of single steps.
extension LinearProduct {
    /// Writes y.
    public func forward(_ input: Tensor, into output: Tensor, leaves: LeafPlan) {
        forward(input, into: output, leaves: leaves, layout: .TNC)
    }

    /// dx = dy·W, written or added.
    public func backwardData(_ outputGradient: Tensor, into inputGradient: Tensor, adds: Bool, leaves: LeafPlan) {
        backwardData(outputGradient, into: inputGradient, adds: adds, leaves: leaves, layout: .TNC)
    }

    /// dW += dyᵀ·x and db += Σ dy, one tensor of each per subtree of `leaves`.
    public func backwardWeights(
        input: Tensor, outputGradient: Tensor, weightGradients: [Tensor], biasGradients: [Tensor]?,
        leaves: LeafPlan, hook: StepHook
    ) {
        backwardWeights(
            input: input, outputGradient: outputGradient, weightGradients: weightGradients,
            biasGradients: biasGradients, leaves: leaves, layout: .TNC, hook: hook)
    }
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
        require(
            weight.shape == [units, width] && (bias.map { $0.shape == [units] } ?? true),
            "linear: expected weight \([units, width]) and bias \([units]), got \(weight.shape) and \(bias?.shape ?? [])"
        )
        kernel.update(
            weight: weight.pointer(of: Scalar.self), bias: bias.map { UnsafePointer($0.pointer(of: Scalar.self)) },
            training: training)
    }

    func forward(_ input: Tensor, into output: Tensor, leaves: LeafPlan, layout: SequenceLayout) {
        let rows = Rows(input, width, leaves, layout)
        kernel.forward(
            steps: rows.steps, batch: rows.batch, leaves: leaves, input: input.pointer(of: Scalar.self),
            inputStrides: rows.strides(width), output: output.pointer(of: Scalar.self),
            outputStrides: rows.strides(units))
    }

    func backwardData(
        _ outputGradient: Tensor, into inputGradient: Tensor, adds: Bool, leaves: LeafPlan, layout: SequenceLayout
    ) {
        let rows = Rows(outputGradient, units, leaves, layout)
        kernel.backwardData(
            steps: rows.steps, batch: rows.batch, leaves: leaves,
            outputGradient: outputGradient.pointer(of: Scalar.self), outputGradientStrides: rows.strides(units),
            inputGradient: inputGradient.pointer(of: Scalar.self), inputGradientStrides: rows.strides(width),
            adds: adds)
    }

    func backwardWeights(
        input: Tensor, outputGradient: Tensor, weightGradients: [Tensor], biasGradients: [Tensor]?,
        leaves: LeafPlan, layout: SequenceLayout, hook: StepHook
    ) {
        let rows = Rows(input, width, leaves, layout)
        require(
            weightGradients.count == leaves.subtrees.count,
            "linear: \(weightGradients.count) gradients for \(leaves.subtrees.count) subtrees; build the ParameterArena with the subtree count of the leaf plan"
        )
        let destinations = weightGradients.indices.map { index in
            LinearGradientPointers(
                weight: weightGradients[index].pointer(of: Scalar.self),
                bias: biasGradients?[index].pointer(of: Scalar.self))
        }
        kernel.backwardWeights(
            steps: rows.steps, batch: rows.batch, leaves: leaves, input: input.pointer(of: Scalar.self),
            inputStrides: rows.strides(width), outputGradient: outputGradient.pointer(of: Scalar.self),
            outputGradientStrides: rows.strides(units), gradients: destinations, hook: hook)
    }

    /// The rows of a call.
    private struct Rows {
        let steps: Int
        let batch: Int
        private let layout: SequenceLayout

        init(_ tensor: Tensor, _ width: Int, _ leaves: LeafPlan, _ layout: SequenceLayout) {
            let shape = tensor.shape
            require(
                (2...3).contains(shape.count) && shape[shape.count - 1] == width,
                "linear: expected (\(layout == .TNC ? "T,N" : "N,T"),\(width)) or (N,\(width)), got \(shape)")
            (steps, batch) = shape.count == 3 ? layout.sizes(shape) : (1, shape[0])
            require(
                leaves.rowCount == batch, leaves.mismatch("linear", batch, shape, layout))
            self.layout = layout
        }

        func strides(_ width: Int) -> SequenceStrides { layout.strides(steps: steps, batch: batch, width: width) }
    }
}
