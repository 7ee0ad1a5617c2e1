import BatonChecks

extension ForwardContext {
    /// Zeros where t ≥ λₙ, the sequence elsewhere: y[t, n] = [t < λₙ]·x[t, n]. What stands in the padding has no
    /// effect, NaN included, and its gradient is exactly 0. Source: MXNet `SequenceMask` (parity 2.7).
    ///
    /// - Parameters:
    ///   - x: (T, N, …), or (N, T, …) with layout NTC.
    ///   - lengths: λ of every row, 0 ≤ λ ≤ T.
    public func maskSequence(_ x: Variable, lengths: [Int], layout: SequenceLayout = .TNC) -> Variable {
        let plan = SequenceRows(x, lengths, layout, "maskSequence")
        return result("maskSequence", plan.masked(x.value), of: [x]) { gradient in
            x.consumeGradient(plan.masked(gradient))
        }
    }

    /// Reverses the first λₙ steps of every row and leaves the padding in place: y[t, n] = x[λₙ−1−t, n] for t < λₙ.
    /// Source: MXNet `SequenceReverse` (parity 2.7).
    ///
    /// - Parameter lengths: λ of every row, 0 ≤ λ ≤ T; nil is T everywhere.
    public func reverseSequence(_ x: Variable, lengths: [Int]? = nil, layout: SequenceLayout = .TNC) -> Variable {
        let plan = SequenceRows(x, lengths, layout, "reverseSequence")
        return result("reverseSequence", plan.reversed(x.value), of: [x]) { gradient in
            x.consumeGradient(plan.reversed(gradient))
        }
    }

    /// The last valid step of every row, y[n] = x[λₙ−1, n]: (T, N, …) or (N, T, …) → (N, …).
    /// Source: MXNet `SequenceLast` (parity 2.7).
    ///
    /// - Parameter lengths: λ of every row, 1 ≤ λ ≤ T.
    public func lastStep(_ x: Variable, lengths: [Int], layout: SequenceLayout = .TNC) -> Variable {
        let plan = SequenceRows(x, lengths, layout, "lastStep")
        require(lengths.allSatisfy { $0 > 0 }, "lastStep: expected lengths of at least 1, got \(lengths)")
        return result("lastStep", plan.last(x.value), of: [x]) { gradient in
            x.consumeGradient(plan.scattered(gradient))
        }
    }

    /// Rows of two matrices: y[n] = rows[n] ? a[n] : b[n], with a and b (N, …). The gradient goes where the row came
    /// from.
    ///
    /// - Precondition: a and b have the same shape and type, and N is the number of `rows`.
    public func selectRows(_ rows: [Bool], _ a: Variable, _ b: Variable) -> Variable {
        require(
            a.shape == b.shape && a.dtype == b.dtype && a.shape.first == rows.count,
            "selectRows: expected two matrices of \(rows.count) rows, got \(a.shape) and \(b.shape)")
        let value = Tensor(uninitialized: a.shape, dtype: a.dtype)
        let bytes = rows.isEmpty ? 0 : value.byteCount / rows.count
        for (row, first) in rows.enumerated() {
            (value.rawPointer + row * bytes).copyMemory(
                from: (first ? a : b).value.rawPointer + row * bytes, byteCount: bytes)
        }
        return result("selectRows", value, of: [a, b]) { gradient in
            for (input, wanted) in [(a, true), (b, false)] where input.requiresGradient {
                let share = Tensor(zeros: input.shape, dtype: input.dtype)
                for (row, first) in rows.enumerated() where first == wanted {
                    (share.rawPointer + row * bytes).copyMemory(
                        from: gradient.rawPointer + row * bytes, byteCount: bytes)
                }
                input.consumeGradient(share)
            }
        }
    }
}

/// Where the steps of every row of a sequence lie in memory.
private struct SequenceRows {
    let shape: [Int]
    let lengths: [Int]
    let layout: SequenceLayout
    private let steps: Int

    /// - Parameter lengths: nil is T everywhere.
    init(_ x: Variable, _ lengths: [Int]?, _ layout: SequenceLayout, _ operation: String) {
        shape = x.shape
        require(shape.count >= 2, "\(operation): expected (T,N,…) or (N,T,…), got \(shape)")
        let (steps, rows) = layout.sizes(shape)
        self.steps = steps
        let lengths = lengths ?? [Int](repeating: steps, count: rows)
        require(
            lengths.count == rows && lengths.allSatisfy { (0...steps).contains($0) },
            "\(operation): expected \(rows) lengths from 0 to \(steps), got \(lengths)")
        self.lengths = lengths
        self.layout = layout
    }

    private func bytes(_ tensor: Tensor) -> Int { shape.dropFirst(2).reduce(tensor.dtype.byteCount, *) }

    private func position(_ step: Int, _ row: Int) -> Int {
        layout == .TNC ? step * lengths.count + row : row * steps + step
    }

    func masked(_ x: Tensor) -> Tensor {
        let result = x.copy()
        let width = bytes(x)
        for (row, length) in lengths.enumerated() {
            for step in length..<steps {
                (result.rawPointer + position(step, row) * width).initializeMemory(
                    as: UInt8.self, repeating: 0, count: width)
            }
        }
        return result
    }

    func reversed(_ x: Tensor) -> Tensor {
        let result = x.copy()
        let width = bytes(x)
        for (row, length) in lengths.enumerated() {
            for step in 0..<length {
                (result.rawPointer + position(step, row) * width).copyMemory(
                    from: x.rawPointer + position(length - 1 - step, row) * width, byteCount: width)
            }
        }
        return result
    }

    func last(_ x: Tensor) -> Tensor {
        let result = Tensor(uninitialized: [lengths.count] + shape.dropFirst(2), dtype: x.dtype)
        let width = bytes(x)
        for (row, length) in lengths.enumerated() {
            (result.rawPointer + row * width).copyMemory(
                from: x.rawPointer + position(length - 1, row) * width, byteCount: width)
        }
        return result
    }

    func scattered(_ gradient: Tensor) -> Tensor {
        let result = Tensor(zeros: shape, dtype: gradient.dtype)
        let width = bytes(gradient)
        for (row, length) in lengths.enumerated() {
            (result.rawPointer + position(length - 1, row) * width).copyMemory(
                from: gradient.rawPointer + row * width, byteCount: width)
        }
        return result
    }
}
