import Testing

@testable import BatonTensor

@Suite struct StoragePoolTests {
    @Test(arguments: [0, 1, 64, 65, 4095, 4096, 4097, 5120, 5121, 8192, 8193, 1 << 20, (1 << 20) + 1, (1 << 62) - 1])
    func aSizeClassHoldsItsSizes(byteCount: Int) {
        let (number, capacity) = StoragePool.sizeClass(byteCount)
        #expect(capacity >= byteCount && capacity - byteCount <= max(64, byteCount / 4))
        #expect(StoragePool.sizeClass(capacity) == (number, capacity))
        // The next size is of the next class.
        let next = StoragePool.sizeClass(capacity + 1)
        #expect(next.number == number + 1 && next.capacity > capacity)
    }

    /// In a process of its own, since other suites take memory at the same time.
    @Test func blocksComeBackFromTheirClassOnly() async {
        await #expect(processExitsWith: .success) {
            let byteCount = 3_000_000
            let blocks = (0..<3).map { _ in StoragePool.take(byteCount: byteCount) }
            let taken = StoragePool.systemAllocations
            for block in blocks { StoragePool.give(block.pointer, capacity: block.capacity) }
            let other = StoragePool.take(byteCount: 2 * byteCount)
            #expect(StoragePool.systemAllocations == taken + 1 && other.capacity >= 2 * byteCount)
            let again = (0..<3).map { _ in StoragePool.take(byteCount: byteCount - 1) }
            #expect(Set(again.map(\.pointer)) == Set(blocks.map(\.pointer)))
            #expect(StoragePool.systemAllocations == taken + 1)
            for block in again + [other] { StoragePool.give(block.pointer, capacity: block.capacity) }
            StoragePool.trim()
            _ = StoragePool.take(byteCount: byteCount)
            #expect(StoragePool.systemAllocations == taken + 2)
        }
    }
}
