/// Memory that never moves and is never freed: what a transfer or a kernel may borrow in a test.
///
/// Swift may end an object's life at its last mention, which in a test is often before the transfer that borrowed its
/// memory has finished; a test process is short enough to let the memory go with it.
public struct ByteBlock {
    /// The whole block.
    public let bytes: UnsafeMutableRawBufferPointer

    /// A block with the given content.
    public init(_ content: [UInt8]) {
        bytes = .allocate(byteCount: content.count, alignment: 64)
        bytes.copyBytes(from: content)
    }

    /// A block of zeros.
    public init(count: Int) { self.init([UInt8](repeating: 0, count: count)) }

    /// A copy of the content.
    public var content: [UInt8] { Array(bytes) }
    /// The block, for reading.
    public var source: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
}
