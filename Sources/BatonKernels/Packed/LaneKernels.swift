import BatonKernelABI

/// The kernels of one instruction set, held by reference: a table is too large to be copied for every call.
final class LaneKernels: Sendable {
    let table: KernelTable

    init(_ table: KernelTable) { self.table = table }
}
