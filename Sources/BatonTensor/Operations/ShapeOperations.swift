import BatonChecks

extension ForwardContext {
    /// The same elements under another shape of equal count.
    public func reshape(_ x: Variable, to shape: [Int]) -> Variable {
        result("reshape", x.value.reshaped(shape), of: [x]) { gradient in
            x.consumeGradient(gradient.reshaped(x.shape))
        }
    }

    /// Joins along an axis: 0 joins time steps of (T, N, C), the last axis features.
    ///
    /// - Precondition: at least one part, all of one type and equal but along the axis.
    public func concatenate(_ parts: [Variable], axis: Int) -> Variable {
        guard let first = parts.first else { fatalError("concatenate: expected at least one part, got none") }
        require(first.shape.indices.contains(axis), "concatenate: axis \(axis) outside \(first.shape)")
        var shape = first.shape
        for part in parts.dropFirst() {
            var expected = first.shape
            expected[axis] = part.shape.count > axis ? part.shape[axis] : 0
            require(
                part.shape == expected && part.dtype == first.dtype,
                "concatenate: expected \(first.shape) \(first.dtype.rawValue) except on axis \(axis), got \(part.shape) \(part.dtype.rawValue)"
            )
            shape[axis] += part.shape[axis]
        }
        let value = Tensor(uninitialized: shape, dtype: first.dtype)
        var start = 0
        for part in parts {
            value.copyBlock(from: part.value, axis: axis, sourceStart: 0, targetStart: start, count: part.shape[axis])
            start += part.shape[axis]
        }
        return result("concatenate", value, of: parts) { gradient in
            var start = 0
            for part in parts {
                if part.requiresGradient {
                    let share = Tensor(uninitialized: part.shape, dtype: part.dtype)
                    share.copyBlock(
                        from: gradient, axis: axis, sourceStart: start, targetStart: 0, count: part.shape[axis])
                    part.consumeGradient(share)
                }
                start += part.shape[axis]
            }
        }
    }

    /// Entries `range` of an axis. The gradient outside them is zero.
    ///
    /// - Precondition: the entries exist.
    public func slice(_ x: Variable, axis: Int, _ range: Range<Int>) -> Variable {
        require(
            x.shape.indices.contains(axis) && range.lowerBound >= 0 && range.upperBound <= x.shape[axis],
            "slice: entries \(range) of axis \(axis) outside \(x.shape)")
        var shape = x.shape
        shape[axis] = range.count
        let value = Tensor(uninitialized: shape, dtype: x.dtype)
        value.copyBlock(from: x.value, axis: axis, sourceStart: range.lowerBound, targetStart: 0, count: range.count)
        return result("slice", value, of: [x]) { gradient in
            let whole = Tensor(zeros: x.shape, dtype: x.dtype)
            whole.copyBlock(
                from: gradient, axis: axis, sourceStart: 0, targetStart: range.lowerBound, count: range.count)
            x.consumeGradient(whole)
        }
    }

    /// (A, B, …) → (B, A, …): between the layouts TNC and NTC.
    public func swapLeadingAxes(_ x: Variable) -> Variable {
        require(x.shape.count >= 2, "swapLeadingAxes: expected at least two axes, got \(x.shape)")
        return result("swapLeadingAxes", x.value.withSwappedLeadingAxes(), of: [x]) { gradient in
            x.consumeGradient(gradient.withSwappedLeadingAxes())
        }
    }
}

extension Tensor {
    /// A copy with the first two axes exchanged: (A, B, …) → (B, A, …).
    ///
    /// - Precondition: at least two axes.
    public func withSwappedLeadingAxes() -> Tensor {
        require(rank >= 2, "Tensor: cannot swap the leading axes of \(shape)")
        let (outer, inner) = (shape[0], shape[1])
        let result = Tensor(uninitialized: [inner, outer] + shape.dropFirst(2), dtype: dtype)
        let bytes = shape.dropFirst(2).reduce(dtype.byteCount, *)
        for i in 0..<outer {
            for j in 0..<inner {
                (result.rawPointer + (j * outer + i) * bytes).copyMemory(
                    from: rawPointer + (i * inner + j) * bytes, byteCount: bytes)
            }
        }
        return result
    }
}
