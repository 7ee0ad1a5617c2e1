import Foundation

/// Owned memory with a steady address that adjoins a page nobody may touch, so that a kernel that reads or writes one value
/// too many ends the test.
final class Memory<Scalar> {
    /// Where the page is.
    enum Guard {
        case behind
        case before
    }

    let pointer: UnsafeMutablePointer<Scalar>
    let count: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    /// launch/test-qemu opens the page where an emulator touches what masked instructions leave out.
    private static var protection: Int32 {
        ProcessInfo.processInfo.environment["BATON_TEST_OPEN_PAGES"] == nil ? PROT_NONE : PROT_READ | PROT_WRITE
    }

    init(_ values: [Scalar], guard side: Guard = .behind) {
        count = values.count
        let page = Int(getpagesize())
        let bytes = count * MemoryLayout<Scalar>.stride
        let usable = (bytes + page - 1) / page * page
        mappedBytes = usable + page
        let mapped = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { fatalError("Memory: no \(mappedBytes) bytes") }
        mapping = mapped
        guard mprotect(side == .behind ? mapped + usable : mapped, page, Self.protection) == 0 else {
            fatalError("Memory: no guard page")
        }
        pointer = (side == .behind ? mapped + usable - bytes : mapped + page).bindMemory(
            to: Scalar.self, capacity: count)
        pointer.initialize(from: values, count: count)
    }

    deinit { munmap(mapping, mappedBytes) }

    var values: [Scalar] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
