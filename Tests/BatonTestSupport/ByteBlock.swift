/// Memory that stays in place until its owner goes: what transfers and kernels may borrow in a test.
public final class ByteBlock {
    /// The whole block.
    public let bytes: UnsafeMutableRawBufferPointer

    /// A block with the given content.
    public init(_ content: [UInt8]) {
        bytes = .allocate(byteCount: content.count, alignment: 64)
        bytes.copyBytes(from: content)
    }

    /// A block of zeros.
    public convenience init(count: Int) { self.init([UInt8](repeating: 0, count: count)) }

    deinit { bytes.deallocate() }

    /// A copy of the content.
    public var content: [UInt8] { Array(bytes) }
    /// The block, for reading.
    public var source: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
}
