import BatonComm
import BatonKernelABI
import BatonKernels
import BatonTensor

/// Some rows of a micro-batch in the output layer: what travels between two stages, on both of them.
final class OutputRows {
    /// h of the top layer and its gradient, (T, n, H) each.
    let hidden: Tensor
    let gradient: Tensor
    private let rows: Range<Int>

    /// - Parameter rows: in the micro-batch.
    init(rows: Range<Int>, steps: Int, width: Int) {
        self.rows = rows
        hidden = Tensor(uninitialized: [steps, rows.count, width])
        gradient = Tensor(uninitialized: [steps, rows.count, width])
    }

    /// Takes h of some steps out of the micro-batch's, (T, N, H).
    func take(_ steps: Range<Int>, from whole: Tensor) {
        let (count, stride) = (rows.count * whole.shape[2], whole.shape[1] * whole.shape[2])
        let source = whole.pointer(of: Float.self) + rows.lowerBound * whole.shape[2]
        for step in steps {
            (hidden.pointer(of: Float.self) + step * count).update(from: source + step * stride, count: count)
        }
    }

    /// Puts the gradient of some steps into the micro-batch's, (T, N, H).
    func give(_ steps: Range<Int>, to whole: Tensor) {
        let (count, stride) = (rows.count * whole.shape[2], whole.shape[1] * whole.shape[2])
        let target = whole.pointer(of: Float.self) + rows.lowerBound * whole.shape[2]
        for step in steps {
            (target + step * stride).update(from: gradient.pointer(of: Float.self) + step * count, count: count)
        }
    }
}

/// The output layer and the loss of this stage's rows of a micro-batch over one window.
final class OutputShare {
    let rows: OutputRows
    private(set) var entropy: CrossEntropy
    private let part: OutputParts.Part
    private let product: any LinearProduct
    /// (T, n).
    private let targets: Tensor
    /// (T, n, V).
    private let logitGradient: Tensor
    private let gradientScale: Double

    /// - Parameter targets: of the whole micro-batch, (T, N).
    init(
        _ part: OutputParts.Part, product: any LinearProduct, targets whole: Tensor, width: Int, vocabulary: Int,
        gradientScale: Double
    ) {
        let (steps, lanes, count) = (whole.shape[0], whole.shape[1], part.rows.count)
        self.part = part
        self.product = product
        self.gradientScale = gradientScale
        rows = OutputRows(rows: part.rows, steps: steps, width: width)
        logitGradient = Tensor(uninitialized: [steps, count, vocabulary])
        targets = Tensor(uninitialized: [steps, count], dtype: .int32)
        let source = whole.pointer(of: Int32.self) + part.rows.lowerBound
        for step in 0..<steps {
            (targets.pointer(of: Int32.self) + step * count).update(from: source + step * lanes, count: count)
        }
        entropy = CrossEntropy(leafCount: part.leaves.leaves.count)
    }

    /// Logits, loss and gradient of h of some steps, whose h is there. Steps come in ascending order.
    func run(_ steps: Range<Int>, poll: () throws(CommError) -> Void) throws(CommError) {
        if steps.isEmpty || part.rows.isEmpty { return }
        let gradient = logitGradient[leading: steps]
        let logits = Tensor(uninitialized: gradient.shape)
        product.forward(rows.hidden[leading: steps], into: logits, leaves: part.leaves)
        try poll()
        entropy.add(
            logits, targets: targets[leading: steps], gradientScale: gradientScale, gradient: gradient,
            leaves: part.leaves)
        try poll()
        product.backwardData(gradient, into: rows.gradient[leading: steps], adds: false, leaves: part.leaves)
    }

    /// Adds the gradients of the output layer over the whole window, one per subtree of the part.
    func backwardWeights(_ weight: [Tensor], bias: [Tensor]?, hook: StepHook) {
        if part.rows.isEmpty { return }
        product.backwardWeights(
            input: rows.hidden, outputGradient: logitGradient, weightGradients: weight, biasGradients: bias,
            leaves: part.leaves, hook: hook)
    }
}
