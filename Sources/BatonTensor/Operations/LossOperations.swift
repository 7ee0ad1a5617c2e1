import BatonChecks
internal import BatonKernels
internal import Glibc

extension ForwardContext {
    /// Mean over all axes but the batch axis of a loss of prediction and label, element by element: (N).
    ///
    /// The sum of a sample is one f64 chain in memory order, so it does not depend on the rest of the batch.
    ///
    /// - Parameters:
    ///   - label: of the prediction's shape up to axes of size 1; it gets no gradient.
    ///   - weights: factor of every element, broadcast along axes of size 1; nil is 1.
    ///   - loss: value and derivative with respect to the prediction.
    public func elementLoss(
        _ prediction: Variable, label: Tensor, weights: Tensor? = nil, batchAxis: Int = 0, name: String,
        _ loss: @escaping (_ prediction: Double, _ label: Double) -> (value: Double, derivative: Double)
    ) -> Variable {
        require(
            label.hasSameAxes(as: prediction.shape),
            "\(name): expected a label for each of \(prediction.shape), got \(label.shape)")
        let samples = SampleAxis(prediction.shape, batchAxis, name)
        let (values, labels) = (prediction.value.doubles(), label.realElements())
        let factors = weights.map { $0.broadcast(to: prediction.shape).doubles() }
        var sums = [Double](repeating: 0, count: samples.count)
        var derivatives = [Double](repeating: 0, count: values.count)
        for index in values.indices {
            let (value, derivative) = loss(values[index], labels[index])
            let factor = factors?[index] ?? 1
            sums[samples.sample(of: index)] += factor * value
            derivatives[index] = factor * derivative / Double(samples.elements)
        }
        let output = samples.means(of: sums, dtype: prediction.dtype)
        return result(name, output, of: [prediction]) { gradient in
            let above = gradient.doubles()
            let share = derivatives.indices.map { derivatives[$0] * above[samples.sample(of: $0)] }
            prediction.consumeGradient(Tensor(doubles: share, shape: prediction.shape, dtype: prediction.dtype))
        }
    }

    /// −Σ_v label·log softmax(logits), mean over all axes but the batch axis: (N).
    ///
    /// | Argument | Shape |
    /// |---|---|
    /// | logits | (…, V); with `fromLogits` they are log-probabilities already |
    /// | label | without V: class numbers, integers or whole floats; or as the logits: probabilities |
    /// | weights | as the logits with 1 in place of V, or broadcast along axes of size 1 |
    ///
    /// dLogits = softmax(logits)·Σ label − label, with `fromLogits` −label, times weight and the sample's gradient, over
    /// the positions of a sample.
    ///
    /// - Precondition: 0 ≤ class < V (`Identifiers.check` of BatonData throws instead).
    /// - Source: Gluon `SoftmaxCrossEntropyLoss` (parity 1.10).
    public func crossEntropyLoss(
        _ logits: Variable, label: Tensor, fromLogits: Bool = false, weights: Tensor? = nil, batchAxis: Int = 0
    ) -> Variable {
        let shape = logits.shape
        let width = shape.last ?? 0
        require(width > 0, "crossEntropyLoss: expected (…,V) with V ≥ 1, got \(shape)")
        let positions = Array(shape.dropLast())
        let dense = label.shape == shape
        require(
            dense || label.hasSameAxes(as: positions),
            "crossEntropyLoss: expected labels \(positions) or \(shape), got \(label.shape)")
        let samples = SampleAxis(positions + [1], batchAxis, "crossEntropyLoss")
        let labels = label.realElements()
        let factors = weights.map { $0.broadcast(to: positions + [1]).doubles() }
        var sums = [Double](repeating: 0, count: samples.count)
        // Of what is not walked back, one row at a time.
        let isKept = records([logits])
        let gradient = Tensor(uninitialized: isKept ? shape : [width], dtype: logits.dtype)

        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            for position in 0..<positions.reduce(1, *) {
                let row = CrossEntropyRow(
                    logits.value.pointer(of: Scalar.self) + position * width,
                    into: gradient.pointer(of: Scalar.self) + (isKept ? position * width : 0), width: width,
                    fromLogits: fromLogits)
                let factor = (factors?[position] ?? 1) / Double(samples.elements)
                let value =
                    dense
                    ? row.loss(labels[position * width..<(position + 1) * width], factor: factor)
                    : row.loss(labels[position], factor: factor)
                sums[samples.sample(of: position)] += (factors?[position] ?? 1) * value
            }
        }
        run(logits.dtype.differentiable(for: "crossEntropyLoss"))
        let output = samples.means(of: sums, dtype: logits.dtype)
        return result("crossEntropyLoss", output, of: [logits]) { above in
            let each = above.doubles()
            let perPosition = (0..<positions.reduce(1, *)).map { each[samples.sample(of: $0)] }
            let factors = Tensor(doubles: perPosition, shape: positions + [1], dtype: logits.dtype)
            // In place: a node is walked back once.
            func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
                for position in perPosition.indices {
                    let row = gradient.pointer(of: Scalar.self) + position * width
                    Scalar.scale(
                        row, by: factors.pointer(of: Scalar.self)[position], into: row, count: width, adds: false)
                }
            }
            run(logits.dtype.differentiable(for: "crossEntropyLoss"))
            logits.consumeGradient(gradient)
        }
    }
}

/// One row of logits (V), of which the loss against a label is taken; its gradient is written to `out`.
private struct CrossEntropyRow<Scalar: DifferentiableScalar> {
    private let logits: UnsafeMutablePointer<Scalar>
    /// eˣ⁻ᵐ, and then the gradient.
    private let out: UnsafeMutablePointer<Scalar>
    private let width: Int
    private let fromLogits: Bool
    private let sum: Double
    /// log Σ eˣ.
    private let normalizer: Double

    init(
        _ logits: UnsafeMutablePointer<Scalar>, into out: UnsafeMutablePointer<Scalar>, width: Int, fromLogits: Bool
    ) {
        (self.logits, self.out, self.width, self.fromLogits) = (logits, out, width, fromLogits)
        let terms: (maximum: Double, sum: Double) =
            fromLogits ? (0, 1) : Scalar.softmaxTerms(logits, count: width, exponentials: out)
        sum = terms.sum
        normalizer = terms.maximum + log(terms.sum)
    }

    /// Against the probabilities of the classes; `factor` scales the gradient.
    func loss(_ probabilities: ArraySlice<Double>, factor: Double) -> Double {
        let mass = probabilities.reduce(0, +)
        var value = 0.0
        for (index, probability) in zip(0..<width, probabilities) {
            if probability != 0 { value += probability * (normalizer - Double(logits[index])) }
            let softmax = fromLogits ? 0 : Double(out[index]) / sum * mass
            out[index] = Scalar(factor * (softmax - probability))
        }
        return value
    }

    /// Against the number of a class; `factor` scales the gradient.
    func loss(_ label: Double, factor: Double) -> Double {
        guard let label = Int(exactly: label), (0..<width).contains(label) else {
            fatalError("crossEntropyLoss: label \(label) is none of the \(width) classes")
        }
        for other in 0..<width { out[other] = fromLogits ? 0 : Scalar(factor / sum) * out[other] }
        out[label] -= Scalar(factor)
        return normalizer - Double(logits[label])
    }
}

/// Which sample an element belongs to, by its place in memory.
private struct SampleAxis {
    /// N.
    let count: Int
    /// Elements of one sample.
    let elements: Int
    private let inner: Int

    init(_ shape: [Int], _ axis: Int, _ operation: String) {
        require(shape.indices.contains(axis), "\(operation): batch axis \(axis) outside \(shape)")
        count = shape[axis]
        inner = shape[(axis + 1)...].reduce(1, *)
        elements = max(1, shape.enumerated().reduce(1) { $1.offset == axis ? $0 : $0 * $1.element })
    }

    func sample(of index: Int) -> Int { index / inner % count }

    func means(of sums: [Double], dtype: DType) -> Tensor {
        Tensor(doubles: sums.map { $0 / Double(elements) }, shape: [count], dtype: dtype)
    }
}

extension Tensor {
    /// The elements as f64, whatever the type.
    func realElements() -> [Double] { dtype.isFloatingPoint ? doubles() : integers().map { Double($0) } }
}
