public import BatonComm
internal import COpenMPI

extension MPICommunicator {
    /// Starts a send of bytes (`MPI_Isend`, MPI 3.1 §3.7.2); see `Communicator`.
    public func immediateSend(
        _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        try checkTransfer(byteCount: bytes.count, peer: peer, tag: tag)
        var request = baton_mpi_request_null()
        try check.perform(
            "MPI_Isend",
            "rank \(worldRanks[rank]) sending \(bytes.count) bytes to rank \(worldRanks[peer]) (tag \(tag))"
        ) {
            MPI_Isend(
                bytes.baseAddress, Int32(bytes.count), baton_mpi_byte(), Int32(peer), Int32(tag), handle, &request)
        }
        return MPISend(request, byteCount: bytes.count, to: peer, tag: tag, of: self)
    }

    /// Starts a receive of exactly `bytes.count` bytes; see `Communicator`.
    ///
    /// By matched probe (`MPI_Improbe` and `MPI_Imrecv`, MPI 3.1 §3.8.2–3): the length of a message is known before any
    /// byte is written. A plain `MPI_Irecv` of Open MPI 4.1.4 writes a too long message past the end of the buffer
    /// (shared memory with single copies), or cuts it without a word (to the own rank).
    public func immediateReceive(
        into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        try checkTransfer(byteCount: bytes.count, peer: peer, tag: tag)
        let receive = MPIReceive(into: bytes, from: peer, tag: tag, of: self)
        unmatched.add(receive)
        receive.match()
        return receive
    }
}
