internal import BatonKernelABI

extension BLASRecurrentSequence {
    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Scalar>], leaves: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        guard let training, nextStep == steps, nextBackwardEnd == 0 else {
            preconditionFailure("BLASRecurrentSequence: backwardWeights needs a complete backwardData")
        }
        precondition(
            leaves.leaves == plan.leaves && gradients.count == leaves.subtrees.count,
            "BLASRecurrentSequence: \(gradients.count) destinations for the subtrees \(leaves.subtrees), leaves "
                + "\(leaves.leaves) where the sequence was made for \(plan.leaves)")
        let inputCount = shape.gateRows * shape.inputSize
        let hiddenCount = shape.gateRows * shape.hidden
        for (subtree, target) in zip(leaves.subtrees, gradients) {
            let sum = training.tree.sum(subtree) { leaf, vector in
                writeGradient(of: plan.leaves[leaf], to: vector, forward, training)
                hook()
            }
            let biases = sum + inputCount + hiddenCount
            Scalar.accumulate(sum, into: target.inputWeight, count: inputCount)
            Scalar.accumulate(sum + inputCount, into: target.hiddenWeight, count: hiddenCount)
            Scalar.accumulate(biases, into: target.inputBias, count: shape.gateRows)
            Scalar.accumulate(biases + shape.gateRows, into: target.hiddenBias, count: shape.gateRows)
        }
    }

    /// dW, dU, db and dq of one leaf, one after the other in `vector`.
    private func writeGradient(
        of leaf: Range<Int>, to vector: UnsafeMutablePointer<Scalar>, _ forward: RecurrentForward<Scalar>,
        _ training: BLASTrainingWorkspace<Scalar>
    ) {
        let (width, gateRows) = (shape.hidden, shape.gateRows)
        let gradient = training.gatheredGradient.pointer
        let factor = training.gatheredFactor.pointer
        let hiddenGradient = vector + gateRows * shape.inputSize
        let biases = hiddenGradient + gateRows * width
        gather(leaf, training.gateGradient.pointer, stride: gateRows, width: gateRows, into: gradient)
        gather(
            leaf, forward.input, stride: forward.inputStride, width: shape.inputSize, byTime: true, into: factor)
        multiply(leaf, gradient, factor, columns: shape.inputSize, into: vector)
        sumRows(leaf, gradient, into: biases)
        if shape.cell == .gru {
            gather(leaf, training.recurrentGateGradient.pointer, stride: gateRows, width: gateRows, into: gradient)
            sumRows(leaf, gradient, into: biases + gateRows)
        } else {
            (biases + gateRows).update(from: biases, count: gateRows)
        }
        gather(leaf, hidden.pointer, stride: width, width: width, into: factor)
        multiply(leaf, gradient, factor, columns: width, into: hiddenGradient)
    }

    /// gradientᵀ·factor over the steps and rows of a leaf.
    private func multiply(
        _ leaf: Range<Int>, _ gradient: UnsafePointer<Scalar>, _ factor: UnsafePointer<Scalar>, columns: Int,
        into target: UnsafeMutablePointer<Scalar>
    ) {
        Scalar.multiply(
            rows: shape.gateRows, columns: columns, depth: steps * leaf.count,
            MatrixOperand(gradient, stride: shape.gateRows, transposed: true),
            MatrixOperand(factor, stride: columns), adds: false, into: target, stride: columns)
    }

    private func sumRows(
        _ leaf: Range<Int>, _ gradient: UnsafePointer<Scalar>, into sum: UnsafeMutablePointer<Scalar>
    ) {
        sum.update(repeating: 0, count: shape.gateRows)
        for row in (0..<steps * leaf.count).reversed() {
            Scalar.accumulate(gradient + row * shape.gateRows, into: sum, count: shape.gateRows)
        }
    }

    /// Copies a leaf's rows of every step together, in processing order. `byTime` says that the source is the
    /// caller's and lies in the order of time.
    private func gather(
        _ leaf: Range<Int>, _ source: UnsafePointer<Scalar>, stride: Int, width: Int, byTime: Bool = false,
        into target: UnsafeMutablePointer<Scalar>
    ) {
        for step in 0..<steps {
            let row = (byTime ? time(of: step) : step) * batch + leaf.lowerBound
            for n in 0..<leaf.count {
                (target + (step * leaf.count + n) * width).update(from: source + (row + n) * stride, count: width)
            }
        }
    }
}
