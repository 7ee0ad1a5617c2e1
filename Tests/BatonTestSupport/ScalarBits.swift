/// A type of numbers that are the same only if their bits are: by value −0 is +0, and NaN is not itself.
public protocol BitPatterned {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger
    var bitPattern: Bits { get }
}

extension Float: BitPatterned {}
extension Double: BitPatterned {}

/// The bits of values, to compare.
public func bits<Scalar: BitPatterned>(_ values: some Sequence<Scalar>) -> [UInt64] {
    values.map { UInt64($0.bitPattern) }
}
