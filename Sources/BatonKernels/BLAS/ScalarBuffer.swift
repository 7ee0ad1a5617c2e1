import BatonChecks

/// Owned memory of a kernel object, 64-byte aligned and zero at first; freed with the object.
final class ScalarBuffer<Scalar: BLASScalar> {
    let pointer: UnsafeMutablePointer<Scalar>
    let count: Int

    init(_ count: Int) {
        require(count >= 0, "ScalarBuffer: negative count \(count)")
        self.count = count
        let bytes = max(64, count * MemoryLayout<Scalar>.stride)
        let memory = WorkMemory.allocate(byteCount: bytes)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        pointer = memory.bindMemory(to: Scalar.self, capacity: count)
    }

    deinit { WorkMemory.deallocate(pointer) }
}
