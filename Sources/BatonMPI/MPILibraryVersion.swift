internal import COpenMPI

/// Which MPI library the process is linked with. Asking does not start MPI.
public enum MPILibrary {
    /// The library's own words, for instance "Open MPI v4.1.4, package: …"; "unknown MPI" if it does not say.
    ///
    /// Not collective. Source: MPI 3.1 §8.1.1; `MPI_Get_library_version` may be called before `MPI_Init`.
    public static var version: String {
        var length: Int32 = 0
        let capacity = Int(MPI_MAX_LIBRARY_VERSION_STRING)
        let text = [CChar](unsafeUninitializedCapacity: capacity) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            let status = MPI_Get_library_version(start, &length)
            count = status == MPI_SUCCESS ? min(max(Int(length), 0), capacity) : 0
        }
        return text.isEmpty ? "unknown MPI" : String(decoding: text.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
