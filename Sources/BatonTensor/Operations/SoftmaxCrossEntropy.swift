import BatonChecks
public import BatonKernels
internal import Glibc

/// Cross-entropy of a batch in the form that sums over processes exactly: f64 sums and integer counts per leaf.
public struct CrossEntropy {
    /// −Σ log softmax(logits)[target] in nats per local leaf: one f64 chain, t ascending, then rows ascending.
    public var leafSums: [Double]
    /// Targets that count, per local leaf.
    public var leafCounts: [Int]
    /// The logits and the gradient with respect to them; nil if no gradient was asked for.
    public var seed: (variable: Variable, gradient: Tensor)?
}

extension ForwardContext {
    /// Softmax and cross-entropy in one pass.
    ///
    /// The operation is the end of a computation and is not recorded: `seed` starts the backward pass,
    /// dLogits = gradientScale · (softmax(logits) − onehot(target)), zero where the target is negative.
    ///
    /// | Argument | Shape | Meaning |
    /// |---|---|---|
    /// | logits | (T, N, V) or (N, V) | f32 or f64 |
    /// | targets | (T, N) or (N) | int32 or int64; negative = ignored |
    /// | gradientScale | – | 1 / number of counting targets over all processes, for a mean loss |
    ///
    /// - Precondition: target < V.
    public func softmaxCrossEntropy(_ logits: Variable, targets: Tensor, gradientScale: Double) -> CrossEntropy {
        let shape = logits.shape
        require(
            (2...3).contains(shape.count) && targets.shape == Array(shape.dropLast())
                && shape[shape.count - 2] == leaves.rowCount,
            "softmaxCrossEntropy: expected logits (T,N,V) or (N,V) with N = \(leaves.rowCount) and targets without V, got \(shape) and \(targets.shape)"
        )
        let gradient = tape != nil && logits.requiresGradient ? Tensor(uninitialized: shape, dtype: logits.dtype) : nil
        var entropy = CrossEntropy(leafCount: leaves.leaves.count)
        entropy.add(logits.value, targets: targets, gradientScale: gradientScale, gradient: gradient, leaves: leaves)
        entropy.seed = gradient.map { (logits, $0) }
        return entropy
    }
}

extension CrossEntropy {
    /// The entropy of nothing.
    public init(leafCount: Int) {
        leafSums = Array(repeating: 0, count: leafCount)
        leafCounts = Array(repeating: 0, count: leafCount)
    }

    /// Goes on with further time steps; the chains, and with them the bits, are those of one pass over all steps.
    ///
    /// Arguments as in `ForwardContext.softmaxCrossEntropy`; `gradient`, shaped as the logits, is written if given.
    public mutating func add(
        _ logits: Tensor, targets: Tensor, gradientScale: Double, gradient: Tensor?, leaves: LeafPlan
    ) {
        let (batch, width) = (leaves.rowCount, logits.shape[logits.rank - 1])
        let labels = targets.integers()
        require(
            logits.count == labels.count * width && (gradient.map { $0.count == logits.count } ?? true)
                && leafSums.count == leaves.leaves.count,
            "CrossEntropy: \(labels.count) targets and \(leafSums.count) leaves, got logits \(logits.shape) and \(leaves.leaves.count) leaves"
        )
        var leafOf = [Int](repeating: 0, count: batch)
        for (leaf, rows) in leaves.leaves.enumerated() { for row in rows { leafOf[row] = leaf } }
        var (sums, counts) = (leafSums, leafCounts)
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            let scores = logits.pointer(of: Scalar.self)
            let out = gradient?.pointer(of: Scalar.self)
            for (position, label) in labels.enumerated() {
                let row = scores + position * width
                let target = out.map { $0 + position * width }
                guard label >= 0 else {
                    target?.update(repeating: 0, count: width)
                    continue
                }
                require(label < width, "softmaxCrossEntropy: target \(label) outside the \(width) classes")
                let terms = Scalar.softmaxTerms(row, count: width, exponentials: target)
                let leaf = leafOf[position % batch]
                sums[leaf] += log(terms.sum) + (terms.maximum - Double(row[label]))
                counts[leaf] += 1
                if let target {
                    Scalar.scale(target, by: Scalar(gradientScale / terms.sum), into: target, count: width, adds: false)
                    target[label] -= Scalar(gradientScale)
                }
            }
        }
        run(logits.dtype.differentiable(for: "softmaxCrossEntropy"))
        (leafSums, leafCounts) = (sums, counts)
    }
}
