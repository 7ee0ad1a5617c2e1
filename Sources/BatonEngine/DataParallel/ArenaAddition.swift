/// A floating-point type whose arrays `GradientTree` can add: Float and Double.
///
/// The loops stand in concrete types, because code generic over the element would not be vectorised for callers in
/// other modules.
public protocol ArenaScalar: BinaryFloatingPoint, Sendable {
    /// `result[i] = left[i] + right[i]` for i in 0 ..< count, one rounding each.
    ///
    /// `result` is `left`, or `right`, or overlaps neither; `left` and `right` do not overlap.
    static func add(
        _ left: UnsafeMutablePointer<Self>, _ right: UnsafeMutablePointer<Self>,
        into result: UnsafeMutablePointer<Self>, count: Int)
}

extension Float: ArenaScalar {
    /// See `ArenaScalar`.
    public static func add(
        _ left: UnsafeMutablePointer<Float>, _ right: UnsafeMutablePointer<Float>,
        into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        addElements(left, right, into: result, count: count)
    }
}

extension Double: ArenaScalar {
    /// See `ArenaScalar`.
    public static func add(
        _ left: UnsafeMutablePointer<Double>, _ right: UnsafeMutablePointer<Double>,
        into result: UnsafeMutablePointer<Double>, count: Int
    ) {
        addElements(left, right, into: result, count: count)
    }
}

/// One loop for each way the arrays may coincide: the vectoriser's run-time overlap test would send an array that is
/// both source and result down the scalar path.
@inline(__always)
private func addElements<Scalar: BinaryFloatingPoint>(
    _ left: UnsafeMutablePointer<Scalar>, _ right: UnsafeMutablePointer<Scalar>,
    into result: UnsafeMutablePointer<Scalar>, count: Int
) {
    if result == left {
        for index in 0..<count { left[index] = left[index] + right[index] }
    } else if result == right {
        for index in 0..<count { right[index] = left[index] + right[index] }
    } else {
        for index in 0..<count { result[index] = left[index] + right[index] }
    }
}
