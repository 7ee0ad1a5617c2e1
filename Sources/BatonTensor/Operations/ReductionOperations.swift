import BatonChecks

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

    /// Σ over one axis, which disappears. One chain in index order in f64, rounded once. dX = dY at every entry.
    public func sum(_ x: Variable, axis: Int) -> Variable { reduce("sum", x, axis: axis, factor: { _ in 1 }) }

    /// Mean over one axis, which disappears. dX = dY / size at every entry.
    public func mean(_ x: Variable, axis: Int) -> Variable {
        reduce("mean", x, axis: axis, factor: { 1 / Double($0) })
    }

    private func reduce(
        _ operation: String, _ x: Variable, axis: Int, factor: (_ size: Int) -> Double
    ) -> Variable {
        require(
            x.shape.indices.contains(axis) && x.shape[axis] > 0,
            "\(operation): axis \(axis) is none of \(x.shape), or empty")
        let (outer, inner) = (x.shape[..<axis].reduce(1, *), x.shape[(axis + 1)...].reduce(1, *))
        let size = x.shape[axis]
        let scale = factor(size)
        let values = x.value.doubles()
        var totals = [Double](repeating: 0, count: outer * inner)
        for block in 0..<outer {
            for entry in 0..<size {
                let start = (block * size + entry) * inner
                for index in 0..<inner { totals[block * inner + index] += values[start + index] }
            }
        }
        var shape = x.shape
        shape.remove(at: axis)
        let value = Tensor(doubles: totals.map { $0 * scale }, shape: shape, dtype: x.dtype)
        return result(operation, value, of: [x]) { gradient in
            let above = gradient.doubles()
            let each = (0..<outer).flatMap { block in
                (0..<size).flatMap { _ in above[block * inner..<(block + 1) * inner].map { $0 * scale } }
            }
            x.consumeGradient(Tensor(doubles: each, shape: x.shape, dtype: x.dtype))
        }
    }
}
