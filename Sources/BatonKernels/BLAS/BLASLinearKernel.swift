import BatonChecks
internal import BatonKernelABI

/// A fully connected layer on OpenBLAS. As in `BLASRecurrentSequence` every product covers one leaf: of one step in
/// `forward` and `backwardData`, of the whole window in `backwardWeights`.
final class BLASLinearKernel<Scalar: BLASScalar>: LinearKernel {
    let units: Int
    let width: Int
    /// (units, width) and (units)
    private let weight: ScalarBuffer<Scalar>
    private let bias: ScalarBuffer<Scalar>
    /// (width, units) as of the last update for training, for `backwardData`.
    private var transposedWeight: ScalarBuffer<Scalar>?
    /// Made for one window shape and kept while that stays.
    private var workspace: BLASLinearWorkspace<Scalar>?

    init(units: Int, width: Int) {
        require(units > 0 && width > 0, "BLASLinearKernel: sizes must be positive, got (\(units), \(width))")
        require(OpenBLASCore.usesOneThread, "OpenBLAS did not accept one thread")
        self.units = units
        self.width = width
        weight = ScalarBuffer(units * width)
        bias = ScalarBuffer(units)
    }

    func update(weight newWeight: UnsafePointer<Scalar>, bias newBias: UnsafePointer<Scalar>?, training: Bool) {
        weight.pointer.update(from: newWeight, count: weight.count)
        if let newBias {
            bias.pointer.update(from: newBias, count: units)
        } else {
            bias.pointer.update(repeating: 0, count: units)
        }
        guard training else {
            transposedWeight = nil
            return
        }
        let transposed = transposedWeight ?? ScalarBuffer(weight.count)
        Scalar.transpose(rows: units, columns: width, weight.pointer, into: transposed.pointer)
        transposedWeight = transposed
    }

    func forward(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Scalar>, inputStrides: SequenceStrides,
        output: UnsafeMutablePointer<Scalar>, outputStrides: SequenceStrides
    ) {
        require(
            leaves.rowCount == batch, "BLASLinearKernel: leaves of \(leaves.rowCount) rows, a batch of \(batch)")
        for time in 0..<steps {
            let target = output + outputStrides.offset(time: time)
            for n in 0..<batch { (target + n * outputStrides.row).update(from: bias.pointer, count: units) }
            Scalar.multiply(
                RowProduct(
                    leaves: leaves.leaves, columns: units, depth: width,
                    input: input + inputStrides.offset(time: time), inputStride: inputStrides.row,
                    weights: weight.pointer, adds: true, output: target, outputStride: outputStrides.row))
        }
    }

    func backwardData(
        steps: Int, batch: Int, leaves: LeafPlan, outputGradient: UnsafePointer<Scalar>,
        outputGradientStrides: SequenceStrides,
        inputGradient: UnsafeMutablePointer<Scalar>, inputGradientStrides: SequenceStrides, adds: Bool
    ) {
        guard let transposedWeight else {
            fatalError("LinearKernel.backwardData: it needs an update of the weights for training")
        }
        require(
            leaves.rowCount == batch, "BLASLinearKernel: leaves of \(leaves.rowCount) rows, a batch of \(batch)")
        for time in 0..<steps {
            Scalar.multiply(
                RowProduct(
                    leaves: leaves.leaves, columns: width, depth: units,
                    input: outputGradient + outputGradientStrides.offset(time: time),
                    inputStride: outputGradientStrides.row, weights: transposedWeight.pointer, adds: adds,
                    output: inputGradient + inputGradientStrides.offset(time: time),
                    outputStride: inputGradientStrides.row))
        }
    }

    func backwardWeights(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Scalar>, inputStrides: SequenceStrides,
        outputGradient: UnsafePointer<Scalar>, outputGradientStrides: SequenceStrides,
        gradients: [LinearGradientPointers<Scalar>], hook: StepHook
    ) {
        gradients.check(leaves, batch: batch)
        let workspace = workspace(steps: steps, leaves: leaves)
        for (subtree, target) in zip(leaves.subtrees, gradients) {
            let sum = workspace.tree.sum(subtree) { number, vector in
                let leaf = leaves.leaves[number]
                let rows = steps * leaf.count
                gather(leaf, steps: steps, input, inputStrides, width, into: workspace.input.pointer)
                gather(
                    leaf, steps: steps, outputGradient, outputGradientStrides, units,
                    into: workspace.outputGradient.pointer)
                Scalar.multiply(
                    rows: units, columns: width, depth: rows,
                    MatrixOperand(workspace.outputGradient.pointer, stride: units, transposed: true),
                    MatrixOperand(workspace.input.pointer, stride: width),
                    adds: false, into: vector, stride: width)
                let biasGradient = vector + units * width
                biasGradient.update(repeating: 0, count: units)
                for row in (0..<rows).reversed() {
                    Scalar.accumulate(
                        workspace.outputGradient.pointer + row * units, into: biasGradient, count: units)
                }
                hook()
            }
            Scalar.accumulate(sum, into: target.weight, count: units * width)
            if let bias = target.bias { Scalar.accumulate(sum + units * width, into: bias, count: units) }
        }
    }

    /// Copies the rows of a leaf together, step by step.
    private func gather(
        _ leaf: Range<Int>, steps: Int, _ source: UnsafePointer<Scalar>, _ strides: SequenceStrides, _ width: Int,
        into target: UnsafeMutablePointer<Scalar>
    ) {
        for step in 0..<steps {
            for n in 0..<leaf.count {
                (target + (step * leaf.count + n) * width)
                    .update(from: source + strides.offset(time: step, row: leaf.lowerBound + n), count: width)
            }
        }
    }

    private func workspace(steps: Int, leaves: LeafPlan) -> BLASLinearWorkspace<Scalar> {
        if let workspace, workspace.steps == steps, workspace.plan == leaves { return workspace }
        let made = BLASLinearWorkspace<Scalar>(units: units, width: width, steps: steps, plan: leaves)
        workspace = made
        return made
    }
}

/// Scratch of a linear weight gradient: rows of one leaf gathered, and the tree of partial sums.
private final class BLASLinearWorkspace<Scalar: BLASScalar> {
    let steps: Int
    let plan: LeafPlan
    let input: ScalarBuffer<Scalar>
    let outputGradient: ScalarBuffer<Scalar>
    let tree: LeafTree<Scalar>

    init(units: Int, width: Int, steps: Int, plan: LeafPlan) {
        self.steps = steps
        self.plan = plan
        let rows = steps * (plan.leaves.map(\.count).max() ?? 0)
        input = ScalarBuffer(rows * width)
        outputGradient = ScalarBuffer(rows * units)
        tree = LeafTree(width: units * (width + 1), plan: plan)
    }
}
