import BatonChecks

extension ForwardContext {
    /// Equal parts of the last axis, for instance the gates of a pre-activation: (…, n·H) → n of (…, H).
    ///
    /// - Precondition: `count` ≥ 1 divides the axis.
    public func split(_ x: Variable, into count: Int) -> [Variable] {
        let axis = x.shape.count - 1
        require(
            axis >= 0 && count > 0 && x.shape[axis] % count == 0,
            "split: cannot split the last axis of \(x.shape) into \(count) equal parts")
        let width = x.shape[axis] / count
        let values = (0..<count).map { part -> Tensor in
            let value = Tensor(uninitialized: x.shape.dropLast() + [width], dtype: x.dtype)
            value.copyBlock(from: x.value, axis: axis, sourceStart: part * width, targetStart: 0, count: width)
            return value
        }
        return results("split", values, of: x) { gradients in
            let whole = Tensor(uninitialized: x.shape, dtype: x.dtype)
            for (part, gradient) in gradients.enumerated() {
                whole.copyBlock(from: gradient, axis: axis, sourceStart: 0, targetStart: part * width, count: width)
            }
            return whole
        }
    }

    /// The steps of a sequence: (T, N, …) with axis 0, or (N, T, …) with axis 1, → T of (N, …).
    public func unstack(_ x: Variable, axis: Int) -> [Variable] {
        require(x.shape.count >= 2 && (0...1).contains(axis), "unstack: no axis \(axis) of steps in \(x.shape)")
        let value = axis == 0 ? x.value : x.value.withSwappedLeadingAxes()
        let rest = Array(value.shape.dropFirst())
        let steps = (0..<value.shape[0]).map { value[leading: $0..<$0 + 1].reshaped(rest) }
        return results("unstack", steps, of: x) { gradients in
            let whole = Tensor(uninitialized: value.shape, dtype: x.dtype)
            for (step, gradient) in gradients.enumerated() {
                whole[leading: step..<step + 1].copyElements(from: gradient)
            }
            return axis == 0 ? whole : whole.withSwappedLeadingAxes()
        }
    }

    /// A sequence from its steps: T of (N, …) → (T, N, …) with axis 0, or (N, T, …) with axis 1.
    ///
    /// - Precondition: at least one step, all of the same shape and type.
    public func stack(_ steps: [Variable], axis: Int) -> Variable {
        guard let first = steps.first else { fatalError("stack: expected at least one step, got none") }
        require((0...1).contains(axis), "stack: expected axis 0 or 1, got \(axis)")
        let value = Tensor(uninitialized: [steps.count] + first.shape, dtype: first.dtype)
        for (index, step) in steps.enumerated() {
            require(
                step.shape == first.shape && step.dtype == first.dtype,
                "stack: expected steps \(first.shape) \(first.dtype.rawValue), got \(step.shape) \(step.dtype.rawValue)"
            )
            value[leading: index..<index + 1].copyElements(from: step.value)
        }
        return result("stack", axis == 0 ? value : value.withSwappedLeadingAxes(), of: steps) { gradient in
            let whole = axis == 0 ? gradient : gradient.withSwappedLeadingAxes()
            for (index, step) in steps.enumerated() where step.requiresGradient {
                step.consumeGradient(whole[leading: index..<index + 1].reshaped(step.shape))
            }
        }
    }

    /// Results of an operation with several outputs; `backward` gets their gradients, zeros where there is none, and
    /// gives the input's.
    private func results(
        _ name: String, _ values: [Tensor], of x: Variable, backward: @escaping ([Tensor]) -> Tensor
    ) -> [Variable] {
        let recorded = records([x])
        let outputs = values.map { Variable($0, requiresGradient: recorded) }
        if recorded {
            tape?.record(
                TapeNode(
                    name: name, outputs: outputs,
                    backwardData: { _ in
                        x.consumeGradient(
                            backward(outputs.map { $0.gradient ?? Tensor(zeros: $0.shape, dtype: $0.dtype) }))
                    }))
        }
        return outputs
    }
}
