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
        let hiddenCount = shape.gateRows * shape.outputSize
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
            if let projection = shape.projection, let weight = target.projectionWeight {
                Scalar.accumulate(biases + 2 * shape.gateRows, into: weight, count: projection * shape.hidden)
            }
        }
    }

    /// dW, dU, db, dq and dV of one leaf, one after the other in `vector`.
    private func writeGradient(
        of leaf: Range<Int>, to vector: UnsafeMutablePointer<Scalar>, _ forward: RecurrentForward<Scalar>,
        _ training: BLASTrainingWorkspace<Scalar>
    ) {
        let (width, gateRows) = (shape.outputSize, shape.gateRows)
        let gradient = training.gatheredGradient.pointer
        let factor = training.gatheredFactor.pointer
        let hiddenGradient = vector + gateRows * shape.inputSize
        let biases = hiddenGradient + gateRows * width
        let depth = depth(of: leaf)
        gather(leaf, training.gateGradient.pointer, stride: gateRows, width: gateRows, into: gradient)
        gather(
            leaf, forward.input, stride: forward.inputStride, width: shape.inputSize, byTime: true, into: factor)
        multiply(depth, gradient, factor, rows: gateRows, columns: shape.inputSize, into: vector)
        sumRows(depth, gradient, into: biases)
        if shape.cell == .gru {
            gather(leaf, training.recurrentGateGradient.pointer, stride: gateRows, width: gateRows, into: gradient)
            sumRows(depth, gradient, into: biases + gateRows)
        } else {
            (biases + gateRows).update(from: biases, count: gateRows)
        }
        gather(leaf, hidden.pointer, stride: width, width: width, into: factor)
        multiply(depth, gradient, factor, rows: gateRows, columns: width, into: hiddenGradient)
        guard let projection = shape.projection else { return }
        gather(leaf, training.projectedGradient.pointer, stride: projection, width: projection, into: gradient)
        gather(leaf, unprojected.pointer, stride: shape.hidden, width: shape.hidden, into: factor)
        multiply(
            depth, gradient, factor, rows: projection, columns: shape.hidden, into: biases + 2 * gateRows)
    }

    /// Rows of a leaf that take part, over all steps.
    private func depth(of leaf: Range<Int>) -> Int {
        leafRows.map { rows in leaf.reduce(0) { $0 + rows.lengths.lengths[$1] } } ?? steps * leaf.count
    }

    /// gradientᵀ·factor over so many rows.
    private func multiply(
        _ depth: Int, _ gradient: UnsafePointer<Scalar>, _ factor: UnsafePointer<Scalar>, rows: Int,
        columns: Int,
        into target: UnsafeMutablePointer<Scalar>
    ) {
        Scalar.multiply(
            rows: rows, columns: columns, depth: depth, MatrixOperand(gradient, stride: rows, transposed: true),
            MatrixOperand(factor, stride: columns), adds: false, into: target, stride: columns)
    }

    private func sumRows(
        _ depth: Int, _ gradient: UnsafePointer<Scalar>, into sum: UnsafeMutablePointer<Scalar>
    ) {
        sum.update(repeating: 0, count: shape.gateRows)
        for row in (0..<depth).reversed() {
            Scalar.accumulate(gradient + row * shape.gateRows, into: sum, count: shape.gateRows)
        }
    }

    /// Copies together the rows of a leaf that take part, step by step in processing order, rows ascending. `byTime`
    /// says that the source is the caller's: in the order of time, every row at its own number.
    private func gather(
        _ leaf: Range<Int>, _ source: UnsafePointer<Scalar>, stride: Int, width: Int, byTime: Bool = false,
        into target: UnsafeMutablePointer<Scalar>
    ) {
        var target = target
        for step in 0..<steps {
            let time = time(of: step)
            let first = source + (byTime ? time : step) * batch * stride
            for row in leaf {
                if let leafRows, leafRows.lengths.lengths[row] <= time { continue }
                let place = byTime ? row : leafRows?.positions[row] ?? row
                target.update(from: first + place * stride, count: width)
                target += width
            }
        }
    }
}
