internal import BatonKernels

/// Entries of one axis, taken from or brought to another tensor whose other axes agree.
extension Tensor {
    /// Overwrites entries of an axis with those of another tensor.
    ///
    /// - Parameters:
    ///   - source: of the same type; its axes but the given one are as long.
    ///   - sourceStart: first entry read.
    ///   - targetStart: first entry written.
    public func copyBlock(from source: Tensor, axis: Int, sourceStart: Int, targetStart: Int, count: Int) {
        let outer = shape[..<axis].reduce(1, *)
        let inner = shape[(axis + 1)...].reduce(dtype.byteCount, *)
        let (sourceRow, targetRow) = (source.shape[axis] * inner, shape[axis] * inner)
        for index in 0..<outer {
            (rawPointer + index * targetRow + targetStart * inner).copyMemory(
                from: source.rawPointer + index * sourceRow + sourceStart * inner, byteCount: count * inner)
        }
    }

    /// Adds all of another tensor to as many entries of an axis, element by element.
    public func addBlock(_ source: Tensor, axis: Int, targetStart: Int) {
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
    public func block(_ range: Range<Int>, axis: Int) -> Tensor {
        var part = shape
        part[axis] = range.count
        let result = Tensor(uninitialized: part, dtype: dtype)
        result.copyBlock(from: self, axis: axis, sourceStart: range.lowerBound, targetStart: 0, count: range.count)
        return result
    }
}
