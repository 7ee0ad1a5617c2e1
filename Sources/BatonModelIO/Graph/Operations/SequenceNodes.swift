import BatonKernels
import BatonTensor

/// `SequenceMask`, `SequenceReverse`, `SequenceLast`.
struct SequenceNode: GraphOperation {
    enum Action { case mask, reverse, last }

    let action: Action
    let hasLengths: Bool
    let layout: SequenceLayout

    init(_ attributes: inout GraphAttributes, action: Action) throws {
        self.action = action
        hasLengths = try attributes.boolean("use_sequence_length", default: false)
        let axis = try attributes.integer("axis", default: 0)
        guard axis == 0 || axis == 1 else { throw GraphMismatch("has the time axis \(axis), not 0 or 1") }
        layout = axis == 0 ? .TNC : .NTC
        let value = try attributes.number("value", default: 0)
        guard value == 0 else { throw GraphMismatch("fills with \(value), and Baton fills with 0") }
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let count = hasLengths ? 2 : 1
        let input = try inputs.exactly(count)[0]
        let sizes = input.axes
        guard input.dtype.isFloatingPoint, sizes.count >= 2, !sizes.contains(GraphShape.batch), sizes[0] > 0,
            sizes[1] > 0
        else {
            throw GraphMismatch("takes a sequence (T, N, …) or (N, T, …), and got \(input.dtype.rawValue) \(sizes)")
        }
        if hasLengths {
            guard inputs[1].axes.count == 1 else { throw GraphMismatch("takes lengths (N), and got \(inputs[1].axes)") }
            try GraphShape.expect(inputs[1].axes[0], is: layout.sizes(sizes).batch, "lengths")
        }
        guard action == .last else { return [input] }
        return [GraphShape(axes: [layout.sizes(sizes).batch] + sizes.dropFirst(2), dtype: input.dtype)]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        let (steps, rows) = layout.sizes(inputs[0].shape)
        let lengths = hasLengths ? try inputs[1].value.lengths(upTo: steps) : Array(repeating: steps, count: rows)
        switch action {
        case .mask: return [hasLengths ? context.maskSequence(inputs[0], lengths: lengths, layout: layout) : inputs[0]]
        case .reverse: return [context.reverseSequence(inputs[0], lengths: lengths, layout: layout)]
        case .last:
            guard lengths.allSatisfy({ $0 > 0 }) else {
                throw GraphMismatch("got a length of 0, which has no last step")
            }
            return [context.lastStep(inputs[0], lengths: lengths, layout: layout)]
        }
    }
}

extension Tensor {
    /// The elements as numbers of steps; those of floating-point type lose their fractions, as in MXNet.
    func lengths(upTo steps: Int) throws -> [Int] {
        let values = dtype.isFloatingPoint ? doubles() : integers().map { Double($0) }
        return try values.map { value in
            guard value > -1, value < Double(steps) + 1 else {
                throw GraphMismatch("got a length of \(value) where 0 to \(steps) are possible")
            }
            return Int(value)
        }
    }
}
