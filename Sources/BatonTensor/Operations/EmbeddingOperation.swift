import BatonChecks
internal import BatonKernels

extension ForwardContext {
    /// Rows of a table: y[t, n, ·] = W[id[t, n], ·].
    ///
    /// The gradient of row v follows the leaf rule: per leaf one chain over its positions of token v, t from T−1 to 0
    /// and rows ascending, then the fixed tree over the leaves. It costs tokens · E plus V counters.
    ///
    /// - Parameters:
    ///   - ids: (T, N), (N, T) as `layout` says, or (N); whole numbers of any type, since Gluon's are often float32.
    ///   - weight: (V, E).
    /// - Returns: as the ids, with an axis E at the end.
    /// - Precondition: 0 ≤ id < V (`Identifiers.check` of BatonData throws instead).
    public func embedding(_ ids: Tensor, weight: Parameter, layout: SequenceLayout = .TNC) -> Variable {
        let rowsFirst = layout == .NTC || ids.rank == 1
        require(
            (1...2).contains(ids.rank) && ids.shape[rowsFirst ? 0 : 1] == leaves.rowCount,
            "embedding: the context is for \(leaves.rowCount) rows, so ids (\(leaves.rowCount)) or (\(layout == .TNC ? "T,\(leaves.rowCount)" : "\(leaves.rowCount),T")) are expected, got \(ids.shape); if they lie the other way, say so with layout:"
        )
        let (vocabulary, width) = (weight.shape[0], weight.shape[1])
        let tokens = ids.wholeNumbers("embedding: id")
        for token in tokens {
            require(
                token >= 0 && token < vocabulary,
                "embedding: id \(token) outside the \(vocabulary) rows of \(weight.name)")
        }
        let value = Tensor(uninitialized: ids.shape + [width], dtype: weight.dtype)
        let rowBytes = width * weight.dtype.byteCount
        let table = weight.data.rawPointer
        for (position, token) in tokens.enumerated() {
            (value.rawPointer + position * rowBytes).copyMemory(from: table + token * rowBytes, byteCount: rowBytes)
        }
        let recorded = records([], [weight])
        let output = Variable(
            value, requiresGradient: recorded,
            repeatedRows: RepeatedRows(value, entries: tokens, tableRows: vocabulary))
        guard recorded else { return output }
        let leaves = leaves
        tape?.record(
            TapeNode(
                name: "embedding \(weight.name)", outputs: [output], parameters: [weight], backwardData: { _ in },
                backwardWeights: { _ in
                    guard let gradient = output.gradient else { return }
                    let plan = EmbeddingGradient(
                        tokens: tokens, rowsFirst: rowsFirst, vocabulary: vocabulary, leaves: leaves)
                    plan.accumulate(
                        gradient, into: weight.gradientDestinations(leaves.subtrees.count), width: width)
                }))
        return output
    }
}

/// Sums rows of a gradient by token: leaf chains, then the tree over the leaves of each subtree.
struct EmbeddingGradient {
    /// Positions in memory, grouped by token; within a token by leaf, then t descending, then rows ascending.
    private let positions: [Int32]
    /// Leaf of each entry of `positions`.
    private let leafOf: [UInt8]
    /// First entry of each token, and one past the last.
    private let starts: [Int32]
    private let leaves: LeafPlan

    /// - Parameter rowsFirst: whether the tokens are (N, T).
    init(tokens: [Int], rowsFirst: Bool, vocabulary: Int, leaves: LeafPlan) {
        var starts = [Int32](repeating: 0, count: vocabulary + 1)
        for token in tokens { starts[token + 1] += 1 }
        for token in 0..<vocabulary { starts[token + 1] += starts[token] }
        var cursor = starts
        var positions = [Int32](repeating: 0, count: tokens.count)
        var leafOf = [UInt8](repeating: 0, count: tokens.count)
        let batch = leaves.rowCount
        let steps = batch == 0 ? 0 : tokens.count / batch
        for (leaf, rows) in leaves.leaves.enumerated() {
            for step in stride(from: steps - 1, through: 0, by: -1) {
                for row in rows {
                    let position = rowsFirst ? row * steps + step : step * batch + row
                    let entry = Int(cursor[tokens[position]])
                    cursor[tokens[position]] += 1
                    positions[entry] = Int32(position)
                    leafOf[entry] = UInt8(leaf)
                }
            }
        }
        self.positions = positions
        self.leafOf = leafOf
        self.starts = starts
        self.leaves = leaves
    }

    func accumulate(_ gradient: Tensor, into targets: [Tensor], width: Int) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            accumulate(
                gradient.pointer(of: Scalar.self), into: targets.map { $0.pointer(of: Scalar.self) }, width: width)
        }
        run(gradient.dtype.differentiable(for: "embedding"))
    }

    private func accumulate<Scalar: DifferentiableScalar>(
        _ gradient: UnsafeMutablePointer<Scalar>, into targets: [UnsafeMutablePointer<Scalar>], width: Int
    ) {
        let partials = Tensor(uninitialized: [max(leaves.leaves.count, 1), width], dtype: Scalar.dtype)
        defer { withExtendedLifetime(partials) {} }
        let partial = partials.pointer(of: Scalar.self)
        var present = [Bool](repeating: false, count: leaves.leaves.count)
        for token in 0..<starts.count - 1 where starts[token] < starts[token + 1] {
            for entry in Int(starts[token])..<Int(starts[token + 1]) {
                let leaf = Int(leafOf[entry])
                let source = gradient + Int(positions[entry]) * width
                let target = partial + leaf * width
                if present[leaf] {
                    Scalar.addElements(target, source, into: target, count: width)
                } else {
                    target.update(from: source, count: width)
                    present[leaf] = true
                }
            }
            for (target, subtree) in zip(targets, leaves.subtrees) {
                combine(subtree, partial, &present, width: width)
                if present[subtree.lowerBound] {
                    let row = target + token * width
                    Scalar.addElements(row, partial + subtree.lowerBound * width, into: row, count: width)
                    present[subtree.lowerBound] = false
                }
            }
        }
    }

    /// Brings the sum of a subtree's leaves into its first partial. An absent leaf counts as zero, and adding zero
    /// changes no bits of a sum that ends in memory that began as +0.
    private func combine<Scalar: DifferentiableScalar>(
        _ subtree: Range<Int>, _ partial: UnsafeMutablePointer<Scalar>, _ present: inout [Bool], width: Int
    ) {
        var distance = 1
        while distance < subtree.count {
            for left in stride(from: subtree.lowerBound, to: subtree.upperBound, by: 2 * distance) {
                let right = left + distance
                guard present[right] else { continue }
                let target = partial + left * width
                if present[left] {
                    Scalar.addElements(target, partial + right * width, into: target, count: width)
                } else {
                    target.update(from: partial + right * width, count: width)
                }
                present[left] = true
                present[right] = false
            }
            distance *= 2
        }
    }
}

extension Tensor {
    /// The elements of an integer tensor, or of a floating-point one that holds whole numbers only.
    ///
    /// - Parameter what: an element, for the message.
    func wholeNumbers(_ what: String) -> [Int] {
        guard dtype.isFloatingPoint else { return integers() }
        return doubles().map { number in
            guard let whole = Int(exactly: number) else { fatalError("\(what) \(number) is no whole number") }
            return whole
        }
    }

    /// The elements of an integer tensor.
    ///
    /// - Precondition: int32 or int64.
    public func integers() -> [Int] {
        switch dtype {
        case .int32: return elements(as: Int32.self).map { Int($0) }
        case .int64: return elements(as: Int64.self).map { Int($0) }
        case .float32, .float64: fatalError("Tensor: expected int32 or int64, got \(dtype.rawValue)")
        }
    }
}
