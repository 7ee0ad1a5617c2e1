extension ForwardContext {
    /// Σ of all elements, shape (). One chain in memory order in f64, rounded once. dX = dY everywhere.
    public func sum(_ x: Variable) -> Variable { reduce("sum", x, factor: 1) }

    /// Mean of all elements, shape (). dX = dY / count everywhere.
    public func mean(_ x: Variable) -> Variable { reduce("mean", x, factor: 1 / Double(x.value.count)) }

    private func reduce(_ operation: String, _ x: Variable, factor: Double) -> Variable {
        require(x.value.count > 0, "\(operation): expected at least one element, got \(x.shape)")
        let total = x.value.doubles().reduce(0, +) * factor
        let value = Tensor(doubles: [total], shape: [], dtype: x.dtype)
        return result(operation, value, of: [x]) { gradient in
            let each = Tensor(uninitialized: x.shape, dtype: x.dtype)
            each.fill(gradient.doubles()[0] * factor)
            x.consumeGradient(each)
        }
    }
}
