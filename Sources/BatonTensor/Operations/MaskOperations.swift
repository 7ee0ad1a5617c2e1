import BatonChecks
internal import BatonKernels

extension ForwardContext {
    /// Dropout whose mask is shared along some axes (size 1 there), also with rate 1, which gives zeros.
    ///
    /// y = x ⊙ M / (1 − p) in training, x itself otherwise. The mask is a function of (seed, name, step, global time,
    /// global row, unit); a shared axis counts as index 0, so masks are equal for every cut of batch and window.
    ///
    /// - Parameters:
    ///   - x: (T, N, C), (N, T, C) as `layout` says, or (N, C).
    ///   - axes: axes of `x` along which the mask does not change.
    /// - Precondition: 0 ≤ p ≤ 1.
    /// - Source: Gluon `nn.Dropout(axes)` (parity 2.9); p = 1 gives NaN there.
    public func dropout(
        _ x: Variable, rate: Double, name: String, sharedAxes axes: [Int], layout: SequenceLayout = .TNC
    ) -> Variable {
        require((0...1).contains(rate), "dropout: expected a rate in [0, 1], got \(rate)")
        require(
            axes.allSatisfy { x.shape.indices.contains($0) }, "dropout: axes \(axes) outside those of \(x.shape)")
        guard isTraining, rate > 0 else { return x }
        if rate < 1 && axes.isEmpty { return dropout(x, rate: rate, name: name, layout: layout) }
        let mask = keepMask(
            x.shape, dtype: x.dtype, rate: rate, name: tape?.maskName(name, random) ?? name, sharedAxes: axes,
            layout: layout)
        return scaled(x, by: mask)
    }

    /// x ⊙ mask with a mask that is broadcast along axes of size 1; the mask gets no gradient.
    public func scaled(_ x: Variable, by mask: Tensor) -> Variable {
        guard mask.shape.first == 1, mask.shape.dropFirst() == x.shape.dropFirst(), mask.dtype == x.dtype else {
            return multiply(x, Variable(mask.broadcast(to: x.shape)))
        }
        // One mask for all steps is not repeated for each.
        func masked(_ values: Tensor) -> Tensor {
            let out = Tensor(uninitialized: values.shape, dtype: values.dtype)
            for step in 0..<values.shape[0] {
                Self.multiply(values[leading: step..<step + 1], mask, into: out[leading: step..<step + 1], adds: false)
            }
            return out
        }
        return result("scaled", masked(x.value), of: [x]) { gradient in x.consumeGradient(masked(gradient)) }
    }

    /// 1 / (1 − p) with probability 1 − p, else 0, independent per element but along the shared axes, which have
    /// size 1. What `dropout` multiplies with, for masks that are kept from step to step.
    ///
    /// - Precondition: 0 ≤ p ≤ 1; two or three axes.
    public func keepMask(
        _ shape: [Int], dtype: DType, rate: Double, name: String, sharedAxes axes: [Int] = [],
        layout: SequenceLayout = .TNC
    ) -> Tensor {
        var small = shape
        for axis in axes { small[axis] = 1 }
        if rate >= 1 { return Tensor(zeros: small, dtype: dtype) }
        var context = self
        context.tape = nil
        context.isTraining = true
        let timeAxis = shape.count == 3 ? (layout == .TNC ? 0 : 1) : nil
        let rowAxis = shape.count == 3 ? (layout == .TNC ? 1 : 0) : 0
        if axes.contains(rowAxis) { context.random.firstRow = 0 }
        if let timeAxis, axes.contains(timeAxis) { context.random.firstTime = 0 }
        let ones = Tensor(uninitialized: small, dtype: dtype)
        ones.fill(1)
        return context.dropout(Variable(ones), rate: rate, name: name, layout: layout).value
    }

    /// y = a where the mask is not 0, b elsewhere, element by element. The gradient goes where the element came from.
    ///
    /// - Precondition: mask, a and b have one shape and one type, f32 or f64.
    public func select(_ mask: Tensor, _ a: Variable, _ b: Variable) -> Variable {
        require(
            mask.shape == a.shape && b.shape == a.shape && a.dtype == b.dtype && mask.dtype == a.dtype,
            "select: expected equal shapes and types, got \(mask.shape), \(a.shape) and \(b.shape)")
        func run(_ first: Tensor?, _ second: Tensor?) -> Tensor {
            let out = Tensor(uninitialized: a.shape, dtype: a.dtype)
            switch a.dtype {
            case .float32: Self.choose(Float.self, mask, first, second, into: out)
            default: Self.choose(Double.self, mask, first, second, into: out)
            }
            return out
        }
        return result("select", run(a.value, b.value), of: [a, b]) { gradient in
            if a.requiresGradient { a.consumeGradient(run(gradient, nil)) }
            if b.requiresGradient { b.consumeGradient(run(nil, gradient)) }
        }
    }

    /// nil stands for zeros.
    private static func choose<Scalar: DifferentiableScalar>(
        _: Scalar.Type, _ mask: Tensor, _ a: Tensor?, _ b: Tensor?, into out: Tensor
    ) {
        let (keep, target) = (mask.pointer(of: Scalar.self), out.pointer(of: Scalar.self))
        let (first, second) = (a?.pointer(of: Scalar.self), b?.pointer(of: Scalar.self))
        for index in 0..<out.count { target[index] = (keep[index] != 0 ? first : second)?[index] ?? 0 }
    }
}

extension Tensor {
    /// The elements repeated along axes of size 1 until the shape is reached.
    func broadcast(to target: [Int]) -> Tensor {
        if shape == target { return self }
        require(
            rank == target.count && zip(shape, target).allSatisfy { $0 == $1 || $0 == 1 },
            "Tensor: cannot broadcast \(shape) to \(target)")
        var current = self
        for axis in target.indices where current.shape[axis] != target[axis] {
            var grown = current.shape
            grown[axis] = target[axis]
            let next = Tensor(uninitialized: grown, dtype: dtype)
            for index in 0..<target[axis] {
                next.copyBlock(from: current, axis: axis, sourceStart: 0, targetStart: index, count: 1)
            }
            current = next
        }
        return current
    }
}
