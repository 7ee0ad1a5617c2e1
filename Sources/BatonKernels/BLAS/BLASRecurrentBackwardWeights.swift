import BatonChecks
internal import BatonKernelABI

extension BLASRecurrentSequence {
    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Scalar>], leaves: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        order.checkWalkedBack(of: steps)
        guard let training else {
            fatalError("BLASRecurrentSequence: a training pass without its workspace")
        }
        require(
            leaves.leaves == plan.leaves,
            "BLASRecurrentSequence: leaves \(leaves.leaves) where the sequence was made for \(plan.leaves)")
        gradients.check(leaves, batch: batch, isProjected: shape.projection != nil)
        let inputCount = shape.gateRows * shape.inputSize
        let hiddenCount = shape.gateRows * shape.outputSize
        for (subtree, target) in zip(leaves.subtrees, gradients) {
            let sum = training.tree.sum(subtree) { leaf, vector in
                vector.update(repeating: 0, count: shape.parameterCount)
                addGradient(of: plan.leaves[leaf], to: vector, forward, training)
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

    /// Adds dW, dU, db, dq and dV of one leaf, one after the other in `vector`: a product for every piece of `unit`
    /// steps, cut from the end of the window and added from the end, so that a window may come in parts.
    func addGradient(
        of leaf: Range<Int>, to vector: UnsafeMutablePointer<Scalar>, _ forward: RecurrentForward<Scalar>,
        _ training: BLASTrainingWorkspace<Scalar>
    ) {
        for end in stride(from: steps, to: 0, by: -Self.unit) {
            addPiece(max(0, end - Self.unit)..<end, of: leaf, to: vector, forward, training)
        }
    }

    private func addPiece(
        _ piece: Range<Int>, of leaf: Range<Int>, to vector: UnsafeMutablePointer<Scalar>,
        _ forward: RecurrentForward<Scalar>, _ training: BLASTrainingWorkspace<Scalar>
    ) {
        let (width, gateRows) = (shape.outputSize, shape.gateRows)
        let gradient = training.gatheredGradient.pointer
        let factor = training.gatheredFactor.pointer
        let hiddenGradient = vector + gateRows * shape.inputSize
        let biases = hiddenGradient + gateRows * width
        let rows = Rows(leaf: leaf, piece: piece)
        let depth = depth(of: rows)
        gather(rows, training.gateGradient.pointer, width: gateRows, into: gradient)
        gatherInput(rows, forward, into: factor)
        multiply(depth, gradient, factor, rows: gateRows, columns: shape.inputSize, into: vector)
        sumRows(depth, gradient, into: biases)
        if shape.cell == .gru {
            gather(rows, training.recurrentGateGradient.pointer, width: gateRows, into: gradient)
            sumRows(depth, gradient, into: biases + gateRows)
        } else {
            (biases + gateRows).update(from: biases, count: gateRows)
        }
        gather(rows, hidden.pointer, width: width, into: factor)
        multiply(depth, gradient, factor, rows: gateRows, columns: width, into: hiddenGradient)
        guard let projection = shape.projection else { return }
        gather(rows, training.projectedGradient.pointer, width: projection, into: gradient)
        gather(rows, unprojected.pointer, width: shape.hidden, into: factor)
        multiply(
            depth, gradient, factor, rows: projection, columns: shape.hidden, into: biases + 2 * gateRows)
    }

    /// The rows of a leaf in some steps.
    private struct Rows {
        var leaf: Range<Int>
        var piece: Range<Int>
    }

    /// Those that take part.
    private func depth(of rows: Rows) -> Int {
        guard let lengths = leafRows?.lengths.lengths else { return rows.piece.count * rows.leaf.count }
        return rows.piece.reduce(0) { sum, step in
            sum + rows.leaf.count { lengths[$0] > time(of: step) }
        }
    }

    /// Adds gradientᵀ·factor over so many rows.
    private func multiply(
        _ depth: Int, _ gradient: UnsafePointer<Scalar>, _ factor: UnsafePointer<Scalar>, rows: Int,
        columns: Int,
        into target: UnsafeMutablePointer<Scalar>
    ) {
        Scalar.multiply(
            rows: rows, columns: columns, depth: depth, MatrixOperand(gradient, stride: rows, transposed: true),
            MatrixOperand(factor, stride: columns), adds: true, into: target, stride: columns)
    }

    private func sumRows(
        _ depth: Int, _ gradient: UnsafePointer<Scalar>, into sum: UnsafeMutablePointer<Scalar>
    ) {
        for row in (0..<depth).reversed() {
            Scalar.accumulate(gradient + row * shape.gateRows, into: sum, count: shape.gateRows)
        }
    }

    /// Calls `body` with the rows that take part, step by step in processing order, rows ascending.
    private func forEach(_ rows: Rows, _ body: (_ step: Int, _ row: Int) -> Void) {
        for step in rows.piece {
            for row in rows.leaf where leafRows.map({ $0.lengths.lengths[row] > time(of: step) }) ?? true {
                body(step, row)
            }
        }
    }

    /// Copies rows of the workspace together.
    private func gather(
        _ rows: Rows, _ source: UnsafePointer<Scalar>, width: Int, into target: UnsafeMutablePointer<Scalar>
    ) {
        var target = target
        forEach(rows) { step, row in
            let place = step * batch + (leafRows?.positions[row] ?? row)
            target.update(from: source + place * width, count: width)
            target += width
        }
    }

    /// Copies rows of the input together.
    private func gatherInput(
        _ rows: Rows, _ forward: RecurrentForward<Scalar>, into target: UnsafeMutablePointer<Scalar>
    ) {
        var target = target
        forEach(rows) { step, row in
            target.update(
                from: forward.input + forward.inputStrides.offset(time: time(of: step), row: row),
                count: shape.inputSize)
            target += shape.inputSize
        }
    }
}
