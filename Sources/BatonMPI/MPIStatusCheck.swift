internal import BatonComm
internal import COpenMPI

/// The gate to MPI: every call passes through `perform`, which looks at the return code and refuses calls after MPI
/// has been closed.
///
/// One per process, shared by the environment, its communicators and their requests.
final class MPIStatusCheck {
    /// Why MPI must not be entered any more; nil while it may.
    private(set) var closedBecause: String?
    /// Windows of shared memory, in the order they were made, to be freed when MPI is finalised: that is collective, so
    /// no process can do it alone when it lets go of one.
    var windows: [MPI_Win] = []

    /// Runs one MPI call and turns its return code into an error.
    ///
    /// - Parameters:
    ///   - call: Name of the MPI function.
    ///   - context: What the call was for, as part of a sentence: "rank 0 sending 8 bytes to rank 1".
    ///   - body: The call; its value is MPI's return code.
    /// - Throws: `CommError` with MPI's own text and code. Source: MPI 3.1 §8.3–8.4.
    @inline(__always)
    func perform(
        _ call: StaticString, _ context: @autoclosure () -> String, _ body: () -> Int32
    ) throws(CommError) {
        if closedBecause != nil { throw closedError() }
        let code = body()
        if code != MPI_SUCCESS { throw MPIStatusCheck.error(code, call: call, context: context()) }
    }

    /// Forbids all further calls. The first reason, a sentence, stays.
    func close(because reason: String) {
        if closedBecause == nil { closedBecause = reason }
    }

    private func closedError() -> CommError {
        CommError(.closed, "MPI is closed and only an abort is possible: \(closedBecause ?? "")")
    }

    /// The error of a return code.
    static func error(_ code: Int32, call: StaticString, context: String) -> CommError {
        var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
        var length: Int32 = 0
        let described = MPI_Error_string(code, &text, &length) == MPI_SUCCESS && length > 0
        let reason =
            described
            ? String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            : "an unknown error"
        return CommError(.transport, "\(call) failed for \(context): \(reason) (code \(code)).", code: code)
    }
}
