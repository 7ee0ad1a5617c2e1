extension SafetensorsDType {
    /// Widens `count` elements that lie at the end of a tensor's memory to `tensorDType`, in place.
    func widenUpperPart(of memory: UnsafeMutableRawPointer, count: Int) {
        switch self {
        case .float16: TensorWidening.spread(memory, count: count) { HalfPrecision.widen(float16: $0) }
        case .bfloat16: TensorWidening.spread(memory, count: count) { HalfPrecision.widen(bfloat16: $0) }
        // Any byte but 0 is true, as in PyTorch's own casts.
        case .bool: TensorWidening.spread(memory, count: count) { (value: UInt8) -> Int32 in value == 0 ? 0 : 1 }
        case .uint8: TensorWidening.spread(memory, count: count) { (value: UInt8) in Int32(value) }
        case .int8: TensorWidening.spread(memory, count: count) { (value: Int8) in Int32(value) }
        case .int16: TensorWidening.spread(memory, count: count) { (value: Int16) in Int32(value) }
        case .uint16: TensorWidening.spread(memory, count: count) { (value: UInt16) in Int32(value) }
        case .uint32: TensorWidening.spread(memory, count: count) { (value: UInt32) in Int64(value) }
        // Read as they are, or not at all (`tensorDType`).
        case .float32, .float64, .int32, .int64, .uint64, .complex64, .float8E5M2, .float8E4M3, .float8E8M0,
            .float8E4M3FNUZ, .float8E5M2FNUZ, .float6E2M3, .float6E3M2, .float4:
            break
        }
    }
}
