import BatonTensor

/// `Reshape`: 0 copies the axis of its place, counted from the first or, reversed, from the last; −1 is what is left.
struct ReshapeNode: GraphOperation {
    let target: [Int]
    let isReversed: Bool

    init(_ attributes: inout GraphAttributes) throws {
        target = try attributes.tuple("shape") ?? []
        isReversed = try attributes.boolean("reverse", default: false)
        guard !target.isEmpty, target.allSatisfy({ $0 >= -1 }), target.count(where: { $0 == -1 }) <= 1 else {
            throw GraphMismatch("has a shape \(target) that is not of sizes, 0 and at most one -1")
        }
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let input = try inputs.floats(1)[0]
        return [GraphShape(axes: try resolved(input.axes), dtype: input.dtype)]
    }

    private func resolved(_ axes: [Int]) throws -> [Int] {
        isReversed
            ? try Self.resolve(target.reversed(), axes.reversed()).reversed() : try Self.resolve(target, axes)
    }

    private static func resolve(_ target: [Int], _ axes: [Int]) throws -> [Int] {
        var result: [Int] = []
        for (position, size) in target.enumerated() {
            guard size == 0 else {
                result.append(size)
                continue
            }
            guard position < axes.count else { throw GraphMismatch("copies axis \(position) of \(axes)") }
            result.append(axes[position])
        }
        // The unknown batch counts as a factor of its own, which must stand on both sides or in the rest.
        let known = axes.filter { $0 != GraphShape.batch }
        let total = GraphShape(axes: known, dtype: .float32).count
        if let rest = target.firstIndex(of: -1) {
            var others = result
            others.remove(at: rest)
            let divisor = GraphShape(axes: others.filter { $0 != GraphShape.batch }, dtype: .float32).count
            let batches = axes.count(where: { $0 == GraphShape.batch })
            guard let total, let divisor, divisor > 0, total % divisor == 0, !known.contains(0),
                others.count(where: { $0 == GraphShape.batch }) == batches
            else { throw GraphMismatch("cannot give \(axes) the shape \(target)") }
            result[rest] = total / divisor
        }
        guard let total, total == GraphShape(axes: result.filter { $0 != GraphShape.batch }, dtype: .float32).count,
            axes.contains(0) == result.contains(0)
        else { throw GraphMismatch("cannot give \(axes) the shape \(target)") }
        return result
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        [context.reshape(inputs[0], to: try resolved(inputs[0].shape))]
    }
}

/// `SwapAxis` of the first two axes, or `transpose` that does no more: between the layouts.
struct SwapAxesNode: GraphOperation {
    /// A `transpose`.
    init(permutation attributes: inout GraphAttributes) throws {
        let axes = try attributes.tuple("axes") ?? []
        guard axes.count >= 2, axes == [1, 0] + Array(2..<axes.count) else {
            throw GraphMismatch("orders the axes as \(axes), and Baton exchanges 0 and 1")
        }
    }

    init(_ attributes: inout GraphAttributes) throws {
        let axes = [try attributes.integer("dim1", default: 0), try attributes.integer("dim2", default: 0)]
        guard axes.sorted() == [0, 1] else {
            throw GraphMismatch("swaps the axes \(axes[0]) and \(axes[1]), and Baton swaps 0 and 1")
        }
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        var shape = try inputs.exactly(1)[0]
        guard shape.axes.count >= 2 else { throw GraphMismatch("takes two axes or more, and got \(shape.axes)") }
        shape.axes.swapAt(0, 1)
        return [shape]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] { [context.swapLeadingAxes(inputs[0])] }
}

/// `SliceChannel`: equal parts of an axis, which disappears if it is to be squeezed and the parts have size 1.
struct SplitNode: GraphOperation {
    let outputCount: Int
    let axis: Int
    let squeezes: Bool

    init(_ attributes: inout GraphAttributes) throws {
        outputCount = try attributes.integer("num_outputs")
        axis = try attributes.integer("axis", default: 1)
        squeezes = try attributes.boolean("squeeze_axis", default: false)
        // More outputs than any axis has entries would only cost memory.
        guard (1...1 << 20).contains(outputCount) else { throw GraphMismatch("has num_outputs = \(outputCount)") }
    }

    private func place(_ rank: Int) throws -> Int {
        let place = axis < 0 ? axis + rank : axis
        guard (0..<rank).contains(place) else { throw GraphMismatch("splits axis \(axis) of \(rank) axes") }
        return place
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        var shape = try inputs.floats(1)[0]
        let place = try place(shape.axes.count)
        let size = shape.axes[place]
        guard size != GraphShape.batch, size > 0, size % outputCount == 0, !squeezes || size == outputCount else {
            throw GraphMismatch("cannot split axis \(place) of \(shape.axes) into \(outputCount) equal parts")
        }
        if squeezes { shape.axes.remove(at: place) } else { shape.axes[place] = size / outputCount }
        return Array(repeating: shape, count: outputCount)
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        let input = inputs[0]
        let place = try place(input.shape.count)
        if !squeezes && place == input.shape.count - 1 { return context.split(input, into: outputCount) }
        if squeezes && place < 2 && input.shape.count >= 2 { return context.unstack(input, axis: place) }
        let width = input.shape[place] / outputCount
        return (0..<outputCount).map { part in
            let slice = context.slice(input, axis: place, part * width..<(part + 1) * width)
            guard squeezes else { return slice }
            var shape = slice.shape
            shape.remove(at: place)
            return context.reshape(slice, to: shape)
        }
    }
}

/// `Concat` along an axis, or `stack` along a new one.
struct JoinNode: GraphOperation {
    let axis: Int
    let isStack: Bool

    init(_ attributes: inout GraphAttributes, isStack: Bool) throws {
        axis = try attributes.integer(isStack ? "axis" : "dim", default: isStack ? 0 : 1)
        attributes.ignore("num_args")
        self.isStack = isStack
    }

    private func place(_ rank: Int) throws -> Int {
        let limit = isStack ? rank + 1 : rank
        let place = axis < 0 ? axis + limit : axis
        guard (0..<limit).contains(place) else { throw GraphMismatch("joins along axis \(axis) of \(rank) axes") }
        return place
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        guard !inputs.isEmpty else { throw GraphMismatch("takes one input or more, and got none") }
        var shape = try inputs.floats(inputs.count)[0]
        let place = try place(shape.axes.count)
        if isStack {
            shape = try inputs.unified()
            shape.axes.insert(inputs.count, at: place)
            return [shape]
        }
        var width = 0
        for input in inputs {
            guard input.axes.count == shape.axes.count, input.axes[place] != GraphShape.batch else {
                throw GraphMismatch("cannot join \(shape.axes) and \(input.axes) along axis \(place)")
            }
            let (sum, overflow) = width.addingReportingOverflow(input.axes[place])
            guard !overflow else { throw GraphMismatch("joins more entries than can be counted") }
            width = sum
            var other = input.axes
            other[place] = shape.axes[place]
            shape.axes = try GraphShape.unify(shape.axes, other)
        }
        shape.axes[place] = width
        return [shape]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        let place = try place(inputs[0].shape.count)
        guard isStack else { return [context.concatenate(inputs, axis: place)] }
        if place < 2 && inputs[0].shape.count >= 1 + place { return [context.stack(inputs, axis: place)] }
        let parts = inputs.map { input in
            var shape = input.shape
            shape.insert(1, at: place)
            return context.reshape(input, to: shape)
        }
        return [context.concatenate(parts, axis: place)]
    }
}

/// `Flatten`: all axes but the first joined. `expand_dims`: a new axis of size 1.
struct AxesNode: GraphOperation {
    /// Where the new axis is; nil joins.
    let newAxis: Int?

    private func resolved(_ axes: [Int]) throws -> [Int] {
        guard let newAxis else {
            guard axes.count >= 2, let width = GraphShape(axes: Array(axes.dropFirst()), dtype: .float32).count,
                !axes.dropFirst().contains(where: { $0 <= 0 })
            else { throw GraphMismatch("takes two axes or more of known size, and got \(axes)") }
            return [axes[0], width]
        }
        let place = newAxis < 0 ? newAxis + axes.count + 1 : newAxis
        guard (0...axes.count).contains(place), axes.count < 16 else {
            throw GraphMismatch("puts an axis at \(newAxis) of \(axes)")
        }
        var result = axes
        result.insert(1, at: place)
        return result
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let input = try inputs.floats(1)[0]
        return [GraphShape(axes: try resolved(input.axes), dtype: input.dtype)]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        [context.reshape(inputs[0], to: try resolved(inputs[0].shape))]
    }
}
