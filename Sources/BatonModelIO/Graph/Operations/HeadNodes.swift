import BatonTensor

/// `softmax` and `log_softmax` over the last axis.
struct SoftmaxNode: GraphOperation {
    let isLogarithm: Bool
    let axis: Int

    init(_ attributes: inout GraphAttributes, isLogarithm: Bool) throws {
        axis = try attributes.integer("axis", default: -1)
        let temperature = try attributes.number("temperature", default: 1)
        let lengths = try attributes.boolean("use_length", default: false)
        guard temperature == 1, !lengths, attributes.text("dtype") == nil else {
            throw GraphMismatch("has a temperature, lengths or a type, and Baton takes softmax without")
        }
        self.isLogarithm = isLogarithm
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let input = try inputs.floats(1)
        let rank = input[0].axes.count
        guard rank >= 1, axis == -1 || axis == rank - 1, let width = input[0].axes.last, width > 0 else {
            throw GraphMismatch("takes the last axis, and got axis \(axis) of \(input[0].axes)")
        }
        return input
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        [isLogarithm ? context.logSoftmax(inputs[0]) : context.softmax(inputs[0])]
    }
}

/// `mean` and `sum` over some axes, but not over all.
struct ReductionNode: GraphOperation {
    let isMean: Bool
    let axes: [Int]
    let keepsAxes: Bool

    init(_ attributes: inout GraphAttributes, isMean: Bool) throws {
        axes = try attributes.tuple("axis") ?? []
        keepsAxes = try attributes.boolean("keepdims", default: false)
        guard try !attributes.boolean("exclude", default: false), !axes.isEmpty else {
            throw GraphMismatch("names no axes to take together, or those to keep, and Baton takes the former")
        }
        self.isMean = isMean
    }

    /// The axes from the last to the first.
    private func places(_ shape: [Int]) throws -> [Int] {
        let places = Set(axes.map { $0 < 0 ? $0 + shape.count : $0 })
        guard places.count == axes.count, places.count < shape.count, places.allSatisfy(shape.indices.contains),
            places.allSatisfy({ shape[$0] > 0 })
        else { throw GraphMismatch("takes some of the axes of \(shape) together, and got \(axes)") }
        return places.sorted(by: >)
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        var shape = try inputs.floats(1)[0]
        for place in try places(shape.axes) {
            if keepsAxes { shape.axes[place] = 1 } else { shape.axes.remove(at: place) }
        }
        return [shape]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        let shape = inputs[0].shape
        let result = try places(shape).reduce(inputs[0]) { value, place in
            isMean ? context.mean(value, axis: place) : context.sum(value, axis: place)
        }
        guard keepsAxes else { return [result] }
        let places = try places(shape)
        return [context.reshape(result, to: shape.indices.map { places.contains($0) ? 1 : shape[$0] })]
    }
}

/// `slice_axis`: entries of one axis, the last step of a sequence for instance.
struct SliceAxisNode: GraphOperation {
    let axis: Int
    let begin: Int
    let end: Int?

    init(_ attributes: inout GraphAttributes) throws {
        axis = try attributes.integer("axis")
        begin = try attributes.integer("begin")
        end = try attributes.optionalInteger("end")
    }

    private func range(_ shape: [Int]) throws -> (place: Int, entries: Range<Int>) {
        let place = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(place), shape[place] != GraphShape.batch else {
            throw GraphMismatch("takes entries of axis \(axis), which \(shape) has not or whose size is not known")
        }
        let size = shape[place]
        let first = begin < 0 ? begin + size : begin
        let last = end.map { $0 < 0 ? $0 + size : $0 } ?? size
        guard first >= 0, first < last, last <= size else {
            throw GraphMismatch("takes entries from \(begin) to \(end.map(String.init) ?? "the end") of \(shape)")
        }
        return (place, first..<last)
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        var shape = try inputs.floats(1)[0]
        let (place, entries) = try range(shape.axes)
        shape.axes[place] = entries.count
        return [shape]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        let (place, entries) = try range(inputs[0].shape)
        return [context.slice(inputs[0], axis: place, entries)]
    }
}

/// `_mul_scalar` and its kin: scale · x + shift.
struct ScalarNode: GraphOperation {
    let scale: Double
    let shift: Double

    init(_ attributes: inout GraphAttributes, operation: String) throws {
        let number = try attributes.number("scalar", default: 0)
        attributes.ignore("is_int")
        switch operation {
        case "_plus_scalar": (scale, shift) = (1, number)
        case "_minus_scalar": (scale, shift) = (1, -number)
        case "_rminus_scalar": (scale, shift) = (-1, number)
        case "_mul_scalar": (scale, shift) = (number, 0)
        default:
            guard number != 0 else { throw GraphMismatch("divides by 0") }
            (scale, shift) = (1 / number, 0)
        }
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] { try inputs.floats(1) }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        [context.affine(inputs[0], scale: scale, shift: shift)]
    }
}
