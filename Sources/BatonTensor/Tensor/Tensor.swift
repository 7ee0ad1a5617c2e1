import BatonChecks

/// An n-dimensional array: shape, element type, and a contiguous row-major range of a shared storage.
///
/// Copies share memory. A view of leading entries (`tensor[leading: 3..<7]`) shares memory too; nothing else is a
/// view, so every tensor is contiguous. Not Sendable: a tensor stays on its rank's thread.
public struct Tensor {
    /// Dimensions, outermost first.
    public let shape: [Int]
    /// Element type.
    public let dtype: DType
    /// The memory, shared with copies and views.
    public let storage: Storage
    /// First element, counted in elements from the start of the storage.
    public let offset: Int

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// Whether the shape is this one up to axes of size 1.
    package func hasSameAxes(as other: [Int]) -> Bool { shape.filter { $0 != 1 } == other.filter { $0 != 1 } }
    /// Number of dimensions.
    public var rank: Int { shape.count }
    /// Bytes of all elements.
    public var byteCount: Int { count * dtype.byteCount }
    /// Address of the first element.
    public var rawPointer: UnsafeMutableRawPointer { storage.pointer + offset * dtype.byteCount }

    /// A tensor of unspecified content; no dimension below 0.
    public init(uninitialized shape: [Int], dtype: DType = .float32) {
        require(shape.allSatisfy { $0 >= 0 }, "Tensor: negative dimension in \(shape)")
        require(
            !shape.reduce((dtype.byteCount, false)) { partial, size in
                let (product, overflow) = partial.0.multipliedReportingOverflow(by: size)
                return (product, partial.1 || overflow)
            }.1, "Tensor: shape \(shape) of \(dtype.rawValue) has more bytes than an address can count")
        self.shape = shape
        self.dtype = dtype
        self.offset = 0
        self.storage = Storage(byteCount: shape.reduce(dtype.byteCount, *))
    }

    /// A tensor at the beginning of somebody else's memory.
    ///
    /// - Parameters:
    ///   - bytes: large enough, at an address that 64 divides; its content is the tensor's.
    ///   - owner: kept alive as long as the memory is used.
    public init(in bytes: UnsafeMutableRawBufferPointer, owner: AnyObject, shape: [Int], dtype: DType = .float32) {
        self.init(shape: shape, dtype: dtype, storage: Storage(bytes, owner: owner), offset: 0)
    }

    init(shape: [Int], dtype: DType, storage: Storage, offset: Int) {
        require(
            (offset + shape.reduce(1, *)) * dtype.byteCount <= storage.byteCount,
            "Tensor: shape \(shape) of \(dtype.rawValue) at element \(offset) exceeds a storage of \(storage.byteCount) bytes"
        )
        self.shape = shape
        self.dtype = dtype
        self.storage = storage
        self.offset = offset
    }

    /// Typed address of the first element.
    ///
    /// - Precondition: `Scalar` is the tensor's element type.
    public func pointer<Scalar: TensorScalar>(of type: Scalar.Type = Scalar.self) -> UnsafeMutablePointer<Scalar> {
        require(
            Scalar.dtype == dtype, "Tensor: element type is \(dtype.rawValue), accessed as \(Scalar.dtype.rawValue)")
        return rawPointer.assumingMemoryBound(to: Scalar.self)
    }
}

extension Tensor {
    /// Zeros.
    public init(zeros shape: [Int], dtype: DType = .float32) {
        self.init(uninitialized: shape, dtype: dtype)
        fillWithZero()
    }

    /// The given elements in row-major order, as many as the shape holds.
    public init<Scalar: TensorScalar>(_ elements: [Scalar], shape: [Int]) {
        require(
            elements.count == shape.reduce(1, *), "Tensor: \(elements.count) elements do not fill shape \(shape)")
        self.init(uninitialized: shape, dtype: Scalar.dtype)
        elements.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { pointer(of: Scalar.self).update(from: base, count: source.count) }
        }
    }

    /// One value everywhere.
    public init<Scalar: TensorScalar>(repeating value: Scalar, shape: [Int]) {
        self.init(uninitialized: shape, dtype: Scalar.dtype)
        pointer(of: Scalar.self).update(repeating: value, count: count)
    }

    /// Overwrites all elements with zero.
    public func fillWithZero() { rawPointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount) }

    /// The elements in row-major order.
    public func elements<Scalar: TensorScalar>(as type: Scalar.Type = Scalar.self) -> [Scalar] {
        Array(UnsafeBufferPointer(start: pointer(of: Scalar.self), count: count))
    }

    /// A tensor with its own memory and the same content.
    public func copy() -> Tensor {
        let result = Tensor(uninitialized: shape, dtype: dtype)
        result.copyElements(from: self)
        return result
    }

    /// Overwrites this tensor's memory with another's of equal type and count.
    public func copyElements(from other: Tensor) {
        require(
            other.dtype == dtype && other.count == count,
            "Tensor: cannot copy \(other.shape) \(other.dtype.rawValue) into \(shape) \(dtype.rawValue)")
        rawPointer.copyMemory(from: other.rawPointer, byteCount: byteCount)
    }

    /// The same memory under another shape of equal count.
    public func reshaped(_ newShape: [Int]) -> Tensor {
        require(newShape.reduce(1, *) == count, "Tensor: cannot reshape \(shape) to \(newShape)")
        return Tensor(shape: newShape, dtype: dtype, storage: storage, offset: offset)
    }

    /// A view, on the same memory, of entries `range` of the first axis (time steps of a (T, N, C) tensor, rows of a
    /// matrix).
    ///
    /// - Precondition: the entries exist.
    public subscript(leading range: Range<Int>) -> Tensor {
        require(
            !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "Tensor: range \(range) outside the first axis of \(shape)")
        if range.count == shape[0] { return self }
        var part = shape
        part[0] = range.count
        return Tensor(
            shape: part, dtype: dtype, storage: storage,
            offset: offset + range.lowerBound * shape.dropFirst().reduce(1, *))
    }
}
