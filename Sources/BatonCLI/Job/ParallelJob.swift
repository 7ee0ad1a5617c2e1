import ArgumentParser
import Baton
import FoundationEssentials

/// Why a rank goes no further when rank 0 has failed in what it does for all, and has said so.
struct SaidByRankZero: Error {}

/// The processes that run a command together: the ranks of `mpirun`, or this process alone, which then never touches
/// MPI.
final class ParallelJob {
    let communicator: any Communicator
    private let environment: MPIEnvironment?

    /// Starts MPI under a launcher, and refuses to go on unless all ranks run the same program on equal processors.
    init() throws {
        if let launch = try LaunchEnvironment() {
            let environment = try MPIEnvironment(launch)
            self.environment = environment
            communicator = environment.world
        } else {
            environment = nil
            communicator = SelfCommunicator()
        }
        guard communicator.size > 1 else { return }
        let selection = KernelSelection.active
        try RankAgreement.agree(
            fields: [
                ("the program's build (SHA-256)", try SHA256Digest(ofFile: "/proc/self/exe").description),
                ("the processor's features", CPUFeatures.current.summary),
                ("BATON_ISA", selection.instructionSet.rawValue),
                ("BATON_KERNELS", selection.backend.rawValue),
                ("OpenBLAS's core type", OpenBLASCore.current),
            ], on: communicator)
    }

    /// Ends MPI; to be called after the work has succeeded. After a failure the process leaves without it, which makes
    /// the launcher end the other ranks.
    func finish() throws { try environment?.finalize() }

    /// Refuses to go on unless all ranks have the same data and settings. Collective.
    func agree(on fields: [(name: String, value: String)]) throws {
        try RankAgreement.agree(fields: fields, on: communicator)
    }

    /// Bytes that rank 0 has, on every rank. Collective; if rank 0 fails, all ranks throw, the others `SaidByRankZero`.
    ///
    /// The others wait for it as long as it lives, whatever it does by itself, such as writing a checkpoint to a slow disk.
    /// If it dies, the launcher ends all ranks. Rank 0 waits for nobody longer than ever.
    func share(_ read: () throws -> [UInt8]) throws -> [UInt8] {
        var failure: (any Error)?
        var bytes: [UInt8] = []
        if communicator.rank == 0 {
            do { bytes = try read() } catch { failure = error }
        }
        var count = failure == nil ? Int64(bytes.count) : -1
        let limit = communicator.waitLimit
        if communicator.rank != 0 { communicator.waitLimit = .seconds(1_000_000_000) }
        defer { communicator.waitLimit = limit }
        try withUnsafeMutableBytes(of: &count) { try communicator.broadcast($0, from: 0) }
        communicator.waitLimit = limit
        if let failure { throw failure }
        guard count >= 0 else { throw SaidByRankZero() }
        if communicator.rank != 0 { bytes = [UInt8](repeating: 0, count: Int(count)) }
        try bytes.withUnsafeMutableBytes { try communicator.broadcast($0, from: 0) }
        return bytes
    }
}
