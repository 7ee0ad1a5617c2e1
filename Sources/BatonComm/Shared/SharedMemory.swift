import BatonChecks

/// Memory that all processes of a group see: what one writes, the others read, once they have met (`SharedBarrier`).
///
/// Made by `Communicator.sharedMemory(byteCount:)`. The processes may see it at different addresses.
public final class SharedMemory {
    /// The memory, at an address that is a multiple of 64; zero at first.
    public let bytes: UnsafeMutableRawBufferPointer
    private let release: () -> Void

    /// Wraps memory of a communicator.
    ///
    /// - Parameters:
    ///   - bytes: at an address that 64 divides.
    ///   - release: Called when this process lets go of it.
    public init(_ bytes: UnsafeMutableRawBufferPointer, release: @escaping () -> Void) {
        require(
            UInt(bitPattern: bytes.baseAddress) % 64 == 0, "SharedMemory: expected an address that 64 divides")
        self.bytes = bytes
        self.release = release
    }

    deinit { release() }

    /// Memory of this process alone.
    static func ofOneProcess(byteCount: Int) -> SharedMemory {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        return SharedMemory(bytes) { bytes.deallocate() }
    }
}
