extension MXNetDType {
    /// Widens `count` elements that lie at the end of a tensor's memory to `tensorDType`, in place.
    ///
    /// - Returns: false when a value does not fit.
    func widenUpperHalf(of memory: UnsafeMutableRawPointer, count: Int) -> Bool {
        switch self {
        case .float32, .float64, .int32, .int64: break
        case .float16: TensorWidening.spread(memory, count: count) { HalfPrecision.widen(float16: $0) }
        case .bfloat16: TensorWidening.spread(memory, count: count) { HalfPrecision.widen(bfloat16: $0) }
        case .uint8: TensorWidening.spread(memory, count: count) { (value: UInt8) in Int32(value) }
        // Any byte but 0 is true, as in MXNet's own casts.
        case .bool: TensorWidening.spread(memory, count: count) { (value: UInt8) -> Int32 in value == 0 ? 0 : 1 }
        case .int8: TensorWidening.spread(memory, count: count) { (value: Int8) in Int32(value) }
        case .int16: TensorWidening.spread(memory, count: count) { (value: Int16) in Int32(value) }
        case .uint16: TensorWidening.spread(memory, count: count) { (value: UInt16) in Int32(value) }
        case .uint32: TensorWidening.spread(memory, count: count) { (value: UInt32) in Int64(value) }
        case .uint64:
            // The same bits; the sign shows what did not fit.
            return (0..<count).allSatisfy { memory.load(fromByteOffset: 8 * $0, as: Int64.self) >= 0 }
        }
        return true
    }
}
