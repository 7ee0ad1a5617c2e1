import BatonTensor

/// Shape and element type of a value in a graph, known before anything is computed.
struct GraphShape: Hashable {
    /// The size of an axis that is the batch, while the batch is not known.
    static let batch = -1

    var axes: [Int]
    var dtype: DType

    /// Number of elements; nil when it cannot be counted.
    var count: Int? {
        axes.reduce(1 as Int?) { product, axis in
            guard let product else { return nil }
            let (result, overflow) = product.multipliedReportingOverflow(by: max(axis, 1))
            return overflow ? nil : result
        }
    }
}

/// What a node computes: checked shapes first, then values.
///
/// Graphs come from outside, so whatever does not fit is thrown from `shapes`, and what only values can show from `run`;
/// once both have accepted the inputs, no precondition below is reached.
protocol GraphOperation {
    /// How many results there are.
    var outputCount: Int { get }

    /// The shapes of the results.
    ///
    /// - Parameter batch: what `GraphShape.batch` turned out to be, if it did.
    /// - Throws: `GraphMismatch`, or `BatchFound` when an axis of the unknown batch meets a known one.
    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape]

    /// The results.
    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable]
}

extension GraphOperation {
    var outputCount: Int { 1 }
}

/// Why an operation cannot take its inputs: a clause that goes on from the node's name, and the remedy.
struct GraphMismatch: Error {
    let words: String
    init(_ words: String) { self.words = words }
}

/// Thrown where the unknown batch meets a known size: inference starts again with it.
struct BatchFound: Error {
    let size: Int
}

extension [GraphShape] {
    /// The inputs, if there are as many as expected.
    func exactly(_ count: Int) throws -> [GraphShape] {
        guard self.count == count else {
            throw GraphMismatch("takes \(count) input\(count == 1 ? "" : "s"), and got \(self.count)")
        }
        return self
    }

    /// The inputs, if there are as many as expected and all hold floating-point numbers of one type.
    func floats(_ count: Int) throws -> [GraphShape] {
        let inputs = try exactly(count)
        for input in inputs where !input.dtype.isFloatingPoint || input.dtype != inputs[0].dtype {
            throw GraphMismatch(
                "takes float32 or float64, all of one type, and got "
                    + inputs.map(\.dtype.rawValue).joined(separator: ", "))
        }
        return inputs
    }

    /// The one shape all inputs have.
    func unified() throws -> GraphShape {
        var result = self[0]
        for other in dropFirst() { result.axes = try GraphShape.unify(result.axes, other.axes) }
        return result
    }
}

extension GraphShape {
    /// The shape two values share.
    static func unify(_ a: [Int], _ b: [Int]) throws -> [Int] {
        guard a.count == b.count else { throw GraphMismatch("takes equal shapes, and got \(a) and \(b)") }
        for (x, y) in zip(a, b) where x != y {
            if x == batch { throw BatchFound(size: y) }
            if y == batch { throw BatchFound(size: x) }
            throw GraphMismatch("takes equal shapes, and got \(a) and \(b)")
        }
        return a
    }

    /// Throws unless an axis has a size.
    static func expect(_ axis: Int, is size: Int, _ what: String) throws {
        guard axis != size else { return }
        if axis == batch { throw BatchFound(size: size) }
        if size == batch { throw BatchFound(size: axis) }
        throw GraphMismatch("takes \(what) of \(size), and got \(axis)")
    }
}
