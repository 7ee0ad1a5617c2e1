import BatonChecks
internal import BatonKernels

/// Entries of one axis, taken from or brought to another tensor whose other axes agree.
extension Tensor {
    /// Overwrites entries of an axis with those of another tensor.
    ///
    /// - Parameters:
    ///   - source: of the same type; its axes but the given one are as long.
    ///   - sourceStart: first entry read.
    ///   - targetStart: first entry written.
    /// - Precondition: the entries are there in both.
    public func copyBlock(from source: Tensor, axis: Int, sourceStart: Int, targetStart: Int, count: Int) {
        requireBlock("copyBlock", of: source, axis, sourceStart..<sourceStart + count, at: targetStart)
        let outer = shape[..<axis].reduce(1, *)
        let inner = shape[(axis + 1)...].reduce(dtype.byteCount, *)
        let (sourceRow, targetRow) = (source.shape[axis] * inner, shape[axis] * inner)
        for index in 0..<outer {
            (rawPointer + index * targetRow + targetStart * inner).copyMemory(
                from: source.rawPointer + index * sourceRow + sourceStart * inner, byteCount: count * inner)
        }
    }

    /// Adds all of another tensor to as many entries of an axis, element by element.
    ///
    /// - Precondition: as for `copyBlock`.
    public func addBlock(_ source: Tensor, axis: Int, targetStart: Int) {
        requireBlock("addBlock", of: source, axis, nil, at: targetStart)
        let outer = shape[..<axis].reduce(1, *)
        let inner = shape[(axis + 1)...].reduce(1, *)
        let (count, targetRow) = (source.shape[axis] * inner, shape[axis] * inner)
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            let from = source.pointer(of: Scalar.self)
            let first = pointer(of: Scalar.self) + targetStart * inner
            for index in 0..<outer {
                let target = first + index * targetRow
                Scalar.addElements(target, from + index * count, into: target, count: count)
            }
        }
        run(dtype.differentiable(for: "Tensor.addBlock"))
    }

    /// Entries of an axis in memory of their own.
    ///
    /// - Precondition: they are there.
    public func block(_ range: Range<Int>, axis: Int) -> Tensor {
        require(
            shape.indices.contains(axis) && range.lowerBound >= 0 && range.upperBound <= shape[axis],
            "Tensor.block: entries \(range) of axis \(axis) outside \(shape)")
        var part = shape
        part[axis] = range.count
        let result = Tensor(uninitialized: part, dtype: dtype)
        result.copyBlock(from: self, axis: axis, sourceStart: range.lowerBound, targetStart: 0, count: range.count)
        return result
    }

    /// - Parameter range: entries of the source; nil is all.
    private func requireBlock(
        _ operation: String, of source: Tensor, _ axis: Int, _ range: Range<Int>?, at targetStart: Int
    ) {
        require(
            source.dtype == dtype && source.rank == rank && shape.indices.contains(axis)
                && shape.indices.allSatisfy { $0 == axis || shape[$0] == source.shape[$0] },
            "Tensor.\(operation): expected \(shape) \(dtype.rawValue) but for axis \(axis), got \(source.shape) \(source.dtype.rawValue)"
        )
        let range = range ?? 0..<source.shape[axis]
        require(
            range.lowerBound >= 0 && range.upperBound <= source.shape[axis] && targetStart >= 0
                && targetStart + range.count <= shape[axis],
            "Tensor.\(operation): entries \(range) of axis \(axis) of \(source.shape) do not fit \(shape) from \(targetStart)"
        )
    }
}
