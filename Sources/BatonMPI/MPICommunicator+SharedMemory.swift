public import BatonComm
internal import COpenMPI
internal import Glibc

extension MPICommunicator {
    /// Memory all processes of the group see (`MPI_Win_allocate_shared`, MPI 3.1 §11.2.3); see `Communicator`.
    /// Collective. It is freed by `MPIEnvironment.finalize`.
    public func sharedMemory(byteCount: Int) throws(CommError) -> SharedMemory {
        try checkSharesMachine()
        try checkRoom(for: byteCount)
        // The first process gives it all, with room to begin at a multiple of 64: pages begin at one everywhere.
        let (check, handle) = (check, handle)
        let purpose = "rank \(rank) of \(size) sharing \(byteCount) bytes"
        let own = rank == 0 ? byteCount + 64 : 0
        var window = baton_mpi_win_null()
        var base: UnsafeMutableRawPointer?
        try check.perform("MPI_Win_allocate_shared", purpose) {
            withUnsafeMutablePointer(to: &base) {
                MPI_Win_allocate_shared(MPI_Aint(own), 1, baton_mpi_info_null(), handle, $0, &window)
            }
        }
        guard let window else { throw CommError(.transport, "MPI gave \(purpose) no window.") }
        check.windows.append(window)
        try check.perform("MPI_Win_set_errhandler", purpose) {
            MPI_Win_set_errhandler(window, baton_mpi_errors_return())
        }
        var (length, unit) = (MPI_Aint(0), Int32(0))
        try check.perform("MPI_Win_shared_query", purpose) {
            withUnsafeMutablePointer(to: &base) { MPI_Win_shared_query(window, 0, &length, &unit, $0) }
        }
        guard let base, length >= byteCount + 64 else {
            throw CommError(.transport, "MPI gave \(purpose) only \(length).")
        }
        let bytes = UnsafeMutableRawBufferPointer(start: base.alignedUp(toMultipleOf: 64), count: byteCount)
        try fill(bytes)
        return SharedMemory(bytes) {}
    }

    /// Makes new memory zero. Throws on every process of the group if others have taken the room meanwhile: to write there
    /// would be a signal that ends the process without a word.
    private func fill(_ bytes: UnsafeMutableRawBufferPointer) throws(CommError) {
        var isThere: UInt8 = 1
        if rank == 0, let base = bytes.baseAddress {
            let page = base - Int(bitPattern: base) % Int(sysconf(Int32(_SC_PAGESIZE)))
            // Linux before 5.14 does not know it (EINVAL), and then nobody can ask.
            let populateForWriting: Int32 = 23
            if madvise(page, base - page + bytes.count, populateForWriting) != 0, errno == EFAULT || errno == ENOMEM {
                isThere = 0
            } else {
                bytes.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
        // All wait for it.
        try withUnsafeMutableBytes(of: &isThere) { bytes throws(CommError) in try broadcast(bytes, from: 0) }
        guard isThere == 0 else { return }
        throw CommError(
            .transport,
            "\(size) ranks are to share \(bytes.count) bytes of memory, and others have filled \(Self.sharedFolder) meanwhile; make room there, as a container's --shm-size does, or divide without shard."
        )
    }

    /// Bytes that this machine has for memory of several processes; nil where that cannot be told.
    public var sharedRoom: Int? {
        var system = statvfs()
        // Where the folder may not be written to, MPI takes another.
        guard access(Self.sharedFolder, W_OK) == 0, statvfs(Self.sharedFolder, &system) == 0 else { return nil }
        let (room, overflows) = Int(clamping: system.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: system.f_frsize))
        // MPI keeps a twentieth free.
        return overflows ? nil : room - room / 16
    }

    /// Throws on every process of the group if the machine has less room than that for memory of several processes.
    ///
    /// MPI tells the process that makes the memory of an "internal error", and leaves the others waiting for ever.
    private func checkRoom(for byteCount: Int) throws(CommError) {
        // Of one process it is not shared.
        guard size > 1 else { return }
        var room = Int64(rank == 0 ? sharedRoom ?? .max : 0)
        try withUnsafeMutableBytes(of: &room) { bytes throws(CommError) in try broadcast(bytes, from: 0) }
        guard room < byteCount else { return }
        throw CommError(
            .invalid,
            "\(size) ranks are to share \(byteCount) bytes of memory, and \(Self.sharedFolder) has room for \(room); make room there, as a container's --shm-size does, or divide without shard."
        )
    }

    /// Where Open MPI keeps memory of several processes, unless told otherwise (osc_sm_backing_directory).
    private static let sharedFolder = "/dev/shm"

    /// Throws on every process of the group unless all are on one machine (`MPI_Comm_split_type`, MPI 3.1 §6.4.2).
    private func checkSharesMachine() throws(CommError) {
        // MPI's own call has no time limit: enter it only when every rank has come.
        try barrier()
        let (check, handle) = (check, handle)
        let purpose = "rank \(rank) of \(size) looking for its machine"
        var machine = baton_mpi_comm_null()
        try check.perform("MPI_Comm_split_type", purpose) {
            MPI_Comm_split_type(handle, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), baton_mpi_info_null(), &machine)
        }
        var local: Int32 = 0
        try check.perform("MPI_Comm_size", purpose) { MPI_Comm_size(machine, &local) }
        try check.perform("MPI_Comm_free", purpose) { MPI_Comm_free(&machine) }
        guard Int(local) < size else { return }
        var name = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME))
        var length: Int32 = 0
        try check.perform("MPI_Get_processor_name", purpose) { MPI_Get_processor_name(&name, &length) }
        let names = try allGather(name).map { name in
            String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        throw CommError(
            .invalid,
            "\(size) ranks that share the hidden units of a layer are on several machines (\(names.joined(separator: ", "))), but hidden sharding needs memory they all see; choose a shard= that divides the ranks of every machine, and start them by machine (mpirun --map-by slot)."
        )
    }
}
