import BatonChecks
import BatonKernelABI
import BatonKernels
import BatonTensor

/// Packed weights and free workspaces of one layer and direction, whatever the element type.
protocol RecurrentDirectionKernel: AnyObject {
    func begin(
        _ operands: RecurrentOperands, leaves: LeafPlan, training: Bool, recomputation: Recomputation?
    ) -> any RecurrentPass
}

/// What a workspace was made for.
struct WorkspaceKey: Equatable {
    var steps: Int
    var batch: Int
    var training: Bool
    var leaves: LeafPlan
    /// Steps whose gates are held at a time; nil is all.
    var chunk: Int?
}

/// The kernel of one element type.
///
/// What every call of a stream passes through has a body of its own for f32 (`_specialize`): the common one asks the runtime
/// for the types it handles, which takes half as long as a step of a small layer.
final class TypedRecurrentKernel<Scalar: DifferentiableScalar>: RecurrentDirectionKernel {
    let parameters: [Parameter]
    private let isReverse: Bool
    private let weights: any RecurrentWeights<Scalar>
    private var versions: [Int] = []
    /// How often the weights were packed.
    private(set) var packings = 0
    private var isReadyForBackward = false
    /// Free workspaces, the most recently used last.
    private var free: [(key: WorkspaceKey, sequence: any RecurrentSequence<Scalar>)] = []
    /// Free workspaces kept of sizes other than the latest, so that data of many lengths does not fill the memory.
    private let keptOfOtherSizes = 4

    init(shape: RecurrentShape, parameters: [Parameter], isReverse: Bool) {
        self.parameters = parameters
        self.isReverse = isReverse
        weights = Scalar.makeRecurrentWeights(shape, backend: Scalar.dtype.kernelBackend)
    }

    @_specialize(where Scalar == Float)
    func begin(
        _ operands: RecurrentOperands, leaves: LeafPlan, training: Bool, recomputation: Recomputation?
    ) -> any RecurrentPass {
        refreshWeights()
        let (steps, batch) = operands.inputLayout.sizes(operands.input.shape)
        let recomputes = training && operands.lengths?.isFull != false && operands.shared == nil
        let key = WorkspaceKey(
            steps: steps, batch: batch, training: training, leaves: leaves,
            chunk: recomputes ? recomputation?.chunk(weights.shape, steps: steps, leaves: leaves) : nil)
        return TypedRecurrentPass(
            kernel: self, sequence: freeSequence(key) ?? makeSequence(key), key: key, operands: operands)
    }

    private func freeSequence(_ key: WorkspaceKey) -> (any RecurrentSequence<Scalar>)? {
        // Most often the latest.
        guard let index = free.lastIndex(where: { $0.key == key }) else { return nil }
        return free.remove(at: index).sequence
    }

    private func makeSequence(_ key: WorkspaceKey) -> any RecurrentSequence<Scalar> {
        if let chunk = key.chunk {
            return Scalar.makeRecomputedSequence(
                weights: weights, steps: key.steps, batch: key.batch, reverse: isReverse, leaves: key.leaves,
                chunk: chunk)
        }
        return Scalar.makeRecurrentSequence(
            weights: weights, steps: key.steps, batch: key.batch, reverse: isReverse, leaves: key.leaves)
    }

    @_specialize(where Scalar == Float)
    func release(_ sequence: any RecurrentSequence<Scalar>, _ key: WorkspaceKey) {
        free.append((key, sequence))
        if free.count > keptOfOtherSizes, free.count(where: { $0.key != key }) > keptOfOtherSizes,
            let oldest = free.firstIndex(where: { $0.key != key })
        {
            free.remove(at: oldest)
        }
    }

    /// Whether the weights are those of the parameters.
    private var isCurrent: Bool { versions.elementsEqual(parameters.lazy.map(\.version)) }

    @_specialize(where Scalar == Float)
    private func refreshWeights() {
        if isCurrent { return }
        weights.update(from: pointers, training: false)
        versions = parameters.map(\.version)
        packings += 1
        isReadyForBackward = false
    }

    /// Packs what the backward passes need, if that was not done since the parameters changed.
    ///
    /// - Parameter packings: those done when the forward pass began.
    func prepareBackward(of packings: Int) {
        if isReadyForBackward && packings == self.packings { return }
        require(
            isCurrent && packings == self.packings,
            "\(parameters[0].name): the parameters of the layer changed between its forward and its backward pass")
        weights.prepareBackward(from: pointers)
        isReadyForBackward = true
    }

    private var pointers: RecurrentParameterPointers<Scalar> {
        let pointers = parameters.map { UnsafePointer($0.data.pointer(of: Scalar.self)) }
        return RecurrentParameterPointers(
            inputWeight: pointers[0], hiddenWeight: pointers[1], inputBias: pointers[2], hiddenBias: pointers[3],
            projectionWeight: pointers.count > 4 ? pointers[4] : nil)
    }
}

/// A window in progress. Holds its tensors and its workspace; the workspace goes back when the pass is let go.
final class TypedRecurrentPass<Scalar: DifferentiableScalar>: RecurrentPass {
    private let kernel: TypedRecurrentKernel<Scalar>
    private let sequence: any RecurrentSequence<Scalar>
    private let key: WorkspaceKey
    private let operands: RecurrentOperands
    /// Of the kernel, when the window began.
    private let packings: Int

    init(
        kernel: TypedRecurrentKernel<Scalar>, sequence: any RecurrentSequence<Scalar>,
        key: WorkspaceKey, operands: RecurrentOperands
    ) {
        self.kernel = kernel
        self.sequence = sequence
        self.key = key
        self.operands = operands
        packings = kernel.packings
    }

    deinit { kernel.release(sequence, key) }

    private func pointer(_ tensor: Tensor?) -> UnsafeMutablePointer<Scalar>? { tensor?.pointer(of: Scalar.self) }

    private var forwardArguments: RecurrentForward<Scalar> {
        RecurrentForward(
            input: operands.input.pointer(of: Scalar.self),
            inputStrides: strides(operands.input, operands.inputLayout),
            initialHidden: pointer(operands.initialHidden).map { UnsafePointer($0) },
            initialCell: pointer(operands.initialCell).map { UnsafePointer($0) },
            output: operands.output.pointer(of: Scalar.self) + operands.outputColumn,
            outputStrides: strides(operands.output, operands.outputLayout), finalHidden: pointer(operands.finalHidden),
            finalCell: pointer(operands.finalCell), lengths: operands.lengths,
            shared: pointer(operands.shared), distinctInput: distinctInput)
    }

    private var distinctInput: DistinctRows<Scalar>? {
        operands.repeatedInput?.distinct.map {
            DistinctRows(
                rows: $0.rows.pointer(of: Scalar.self), count: $0.rows.shape[0],
                numbers: $0.numbers.pointer(of: Int32.self))
        }
    }

    private func strides(_ tensor: Tensor, _ layout: SequenceLayout) -> SequenceStrides {
        layout.strides(steps: key.steps, batch: key.batch, width: tensor.shape[2])
    }

    @_specialize(where Scalar == Float)
    func forward(steps: Range<Int>, hook: StepHook) {
        sequence.forward(steps: steps, forwardArguments, training: key.training, hook: hook)
    }

    func prepareBackward() { kernel.prepareBackward(of: packings) }

    func backwardData(steps: Range<Int>, _ gradients: RecurrentGradientOperands, hook: StepHook) {
        require(key.training, "RecurrentPass.backwardData: the window was begun for inference")
        prepareBackward()
        let arguments = RecurrentBackwardData(
            outputGradient: pointer(gradients.output).map { UnsafePointer($0) + operands.outputColumn },
            finalHiddenGradient: pointer(gradients.finalHidden).map { UnsafePointer($0) },
            finalCellGradient: pointer(gradients.finalCell).map { UnsafePointer($0) },
            inputGradient: pointer(gradients.input), addsToInputGradient: gradients.addsToInput,
            initialHiddenGradient: pointer(gradients.initialHidden),
            initialCellGradient: pointer(gradients.initialCell))
        sequence.backwardData(steps: steps, arguments, forward: forwardArguments, hook: hook)
    }

    func backwardWeights(hook: StepHook) {
        require(key.training, "RecurrentPass.backwardWeights: the window was begun for inference")
        if kernel.parameters.allSatisfy({ $0.gradientRequirement == .null }) { return }
        let destinations = kernel.parameters.map { $0.gradientDestinations(key.leaves.subtrees.count) }
        let gradients = key.leaves.subtrees.indices.map { index in
            let pointers = destinations.map { $0[index].pointer(of: Scalar.self) }
            return RecurrentGradientPointers(
                inputWeight: pointers[0], hiddenWeight: pointers[1], inputBias: pointers[2],
                hiddenBias: pointers[3], projectionWeight: pointers.count > 4 ? pointers[4] : nil)
        }
        sequence.backwardWeights(gradients, leaves: key.leaves, forward: forwardArguments, hook: hook)
        withExtendedLifetime(destinations) {}
    }
}
