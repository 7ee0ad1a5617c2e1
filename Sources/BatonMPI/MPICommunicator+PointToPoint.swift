public import BatonComm
internal import COpenMPI

extension MPICommunicator {
    /// Starts a send of bytes (`MPI_Isend`, MPI 3.1 §3.7.2); see `Communicator`.
    public func immediateSend(
        _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        try checkTransfer(byteCount: bytes.count, peer: peer, tag: tag)
        var request = baton_mpi_request_null()
        try check.perform("MPI_Isend", "rank \(rank) sending \(bytes.count) bytes to rank \(peer) (tag \(tag))") {
            MPI_Isend(
                bytes.baseAddress, Int32(bytes.count), baton_mpi_byte(), Int32(peer), Int32(tag), handle, &request)
        }
        return MPIRequest(request, .send, byteCount: bytes.count, peer: peer, tag: tag, of: self)
    }

    /// Starts a receive of exactly `bytes.count` bytes (`MPI_Irecv`, MPI 3.1 §3.7.2); see `Communicator`.
    public func immediateReceive(
        into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        try checkTransfer(byteCount: bytes.count, peer: peer, tag: tag)
        var request = baton_mpi_request_null()
        try check.perform("MPI_Irecv", "rank \(rank) receiving \(bytes.count) bytes from rank \(peer) (tag \(tag))") {
            MPI_Irecv(
                bytes.baseAddress, Int32(bytes.count), baton_mpi_byte(), Int32(peer), Int32(tag), handle, &request)
        }
        return MPIRequest(request, .receive, byteCount: bytes.count, peer: peer, tag: tag, of: self)
    }
}
