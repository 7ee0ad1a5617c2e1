/// Scratch memory of a kernel object: 64-byte aligned, grown on demand, freed with the object.
final class AlignedBuffer {
    private(set) var base: UnsafeMutablePointer<Float>
    private(set) var capacity: Int

    init(count: Int = 0) {
        capacity = max(count, 16)
        base = Self.allocate(capacity)
    }

    deinit { WorkMemory.deallocate(base) }

    /// At least `count` floats. Growing loses the content; new memory is zero.
    @discardableResult
    func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > capacity {
            WorkMemory.deallocate(base)
            capacity = count
            base = Self.allocate(count)
        }
        return base
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let raw = WorkMemory.allocate(byteCount: count * 4)
        return raw.initializeMemory(as: Float.self, repeating: 0, count: count)
    }
}
