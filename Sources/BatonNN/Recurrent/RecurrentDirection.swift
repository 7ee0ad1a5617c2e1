import BatonChecks
public import BatonKernelABI
public import BatonKernels
public import BatonTensor

/// One layer and direction of a recurrent stack: its parameters and the passes over a window.
///
/// | Parameter | Shape |
/// |---|---|
/// | `inputWeight`, Gluon i2h_weight | (G·H, I) |
/// | `hiddenWeight`, h2h_weight | (G·H, R), R = P if projected, else H |
/// | `inputBias`, i2h_bias | (G·H) |
/// | `hiddenBias`, h2h_bias | (G·H) |
/// | `projectionWeight`, h2r_weight | (P, H), if projected |
///
/// Equations and gate order: `RecurrentKind`. A schedule that splits layers over ranks drives directions itself;
/// `RecurrentLayer` drives them through the tape.
public final class RecurrentDirection {
    /// What it computes.
    public let cell: RecurrentKind
    /// Layer number in the stack, from 0.
    public let layer: Int
    /// Whether it runs from the last time step to the first.
    public let isReverse: Bool
    /// H.
    public let hiddenSize: Int
    /// P of a projected LSTM.
    public let projectionSize: Int?
    /// Limits of an LSTM's c.
    public let stateClip: StateClip?
    /// i2h_weight.
    public let inputWeight: Parameter
    /// h2h_weight.
    public let hiddenWeight: Parameter
    /// i2h_bias.
    public let inputBias: Parameter
    /// h2h_bias.
    public let hiddenBias: Parameter
    /// h2r_weight, if projected.
    public let projectionWeight: Parameter?
    /// Widths of the input's chains: nil until I is known, [I], or [R, R] above a bidirectional layer.
    public var inputChains: [Int]? {
        // A weight that was loaded tells I before any input does.
        knownChains ?? (inputWeight.hasKnownShape ? [inputWeight.shape[1]] : nil)
    }
    private var knownChains: [Int]?
    /// How inference holds the weights; training always takes the parameters themselves. Other than float32 it needs
    /// parameters of float32 and the packed kernels (`BATON_KERNELS` not `blas`).
    public var inferencePrecision = WeightPrecision.float32 {
        // What was packed for another reduced precision is not needed any more; training keeps float32.
        didSet { kernels.removeAll { ![.float32, inferencePrecision].contains($0.key.precision) } }
    }
    /// Whether training computes the gates again instead of keeping them; nil keeps them. Windows of unequal lengths,
    /// parts of the units, and reverse directions on the packed kernels keep theirs in any case.
    public var recomputation: Recomputation?
    /// What a kernel was made for.
    private struct KernelKey: Equatable {
        var precision: WeightPrecision
        var shard: UnitShard
    }
    private var kernels: [(key: KernelKey, kernel: any RecurrentDirectionKernel)] = []
    /// Type the kernels were made for; a cast makes new ones.
    private var kernelType: DType?

    init(
        cell: RecurrentKind, layer: Int, isReverse: Bool, hiddenSize: Int, projectionSize: Int?,
        stateClip: StateClip?, inputChains: [Int]?, parameters: [Parameter]
    ) {
        self.projectionSize = projectionSize
        self.stateClip = stateClip
        self.cell = cell
        self.layer = layer
        self.isReverse = isReverse
        self.hiddenSize = hiddenSize
        knownChains = inputChains
        (inputWeight, hiddenWeight, inputBias, hiddenBias) = (
            parameters[0], parameters[1], parameters[2], parameters[3]
        )
        projectionWeight = parameters.count > 4 ? parameters[4] : nil
    }

    /// In Gluon's order: i2h_weight, h2h_weight, i2h_bias, h2h_bias, and h2r_weight if projected.
    public var parameters: [Parameter] {
        [inputWeight, hiddenWeight, inputBias, hiddenBias] + [projectionWeight].compactMap { $0 }
    }
    /// R.
    public var outputSize: Int { projectionSize ?? hiddenSize }

    /// Fixes a deferred input width.
    func completeInputSize(_ size: Int) {
        if knownChains == nil { knownChains = [size] }
        inputWeight.completeShape([cell.gateCount * hiddenSize, size])
    }

    /// Prepares a window: brings the weights into the kernels' form if the parameters changed, and takes a workspace
    /// of the right size, which is reused from window to window.
    ///
    /// - Parameters:
    ///   - leaves: row groups; N must be its row count.
    ///   - training: whether the backward passes will be called.
    ///   - shard: the units to compute; a part needs the output and `RecurrentOperands.shared` in memory that all parts
    ///     see, and a hook that waits for them (see `RecurrentSequence`).
    /// - Precondition: shapes and types agree with the parameters; the message names both.
    public func begin(
        _ operands: RecurrentOperands, leaves: LeafPlan, training: Bool, shard: UnitShard = .whole
    ) -> any RecurrentPass {
        check(operands, leaves)
        return kernel(KernelKey(precision: training ? .float32 : inferencePrecision, shard: shard))
            .begin(operands, leaves: leaves, training: training, recomputation: recomputation)
    }

    private func kernel(_ key: KernelKey) -> any RecurrentDirectionKernel {
        if kernelType != inputWeight.dtype {
            kernels = []
            kernelType = inputWeight.dtype
        }
        if let made = kernels.first(where: { $0.key == key }) { return made.kernel }
        let kernel = makeKernel(key)
        kernels.append((key, kernel))
        return kernel
    }

    /// Elements of `RecurrentOperands.shared` for T·N rows.
    public func sharedCount(steps: Int, rows: Int, training: Bool) -> Int {
        shape().sharedCount(steps: steps, rows: rows, training: training)
    }

    private func shape(_ key: KernelKey = KernelKey(precision: .float32, shard: .whole)) -> RecurrentShape {
        RecurrentShape(
            cell: cell, inputChains: inputChains ?? [], hidden: hiddenSize, projection: projectionSize,
            stateClip: stateClip, precision: key.precision, shard: key.shard)
    }

    private func makeKernel(_ key: KernelKey) -> any RecurrentDirectionKernel {
        func make<Scalar: DifferentiableScalar>(_: Scalar.Type) -> any RecurrentDirectionKernel {
            TypedRecurrentKernel<Scalar>(shape: shape(key), parameters: parameters, isReverse: isReverse)
        }
        return make(inputWeight.dtype.differentiable(for: "recurrent layer"))
    }

    private func check(_ operands: RecurrentOperands, _ leaves: LeafPlan) {
        let inputSize = inputChains?.reduce(0, +) ?? 0
        let (input, output, dtype) = (operands.input, operands.output, inputWeight.dtype)
        require(
            input.rank == 3 && input.shape[2] == inputSize && input.dtype == dtype,
            "\(inputWeight.name): expected an input (\(operands.inputLayout == .TNC ? "T,N" : "N,T"),\(inputSize)) of \(dtype.rawValue), got \(input.shape) \(input.dtype.rawValue)"
        )
        let (steps, batch) = operands.inputLayout.sizes(input.shape)
        require(
            leaves.rowCount == batch,
            leaves.mismatch(inputWeight.name, batch, input.shape, operands.inputLayout))
        require(
            output.rank == 3 && operands.outputLayout.sizes(output.shape) == (steps, batch)
                && operands.outputColumn + outputSize <= output.shape[2] && output.dtype == dtype,
            "\(inputWeight.name): expected an output (\(steps),\(batch),≥\(operands.outputColumn + outputSize)) of \(dtype.rawValue), got \(output.shape) \(output.dtype.rawValue)"
        )
        checkState(operands.initialHidden, batch, outputSize)
        checkState(operands.finalHidden, batch, outputSize)
        checkState(operands.initialCell, batch, hiddenSize)
        checkState(operands.finalCell, batch, hiddenSize)
    }

    private func checkState(_ state: Tensor?, _ batch: Int, _ width: Int) {
        guard let state else { return }
        require(
            state.count == batch * width && state.dtype == inputWeight.dtype,
            "\(inputWeight.name): expected a state (\(batch),\(width)) of \(inputWeight.dtype.rawValue), got \(state.shape) \(state.dtype.rawValue)"
        )
    }
}
