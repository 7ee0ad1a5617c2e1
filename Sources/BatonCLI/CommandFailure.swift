/// Why a command could not do its work: one sentence that names the thing, what was expected and the remedy.
///
/// Thrown for runtime failures of the command line itself; the modules below throw their own errors.
struct CommandFailure: Error, Hashable, CustomStringConvertible {
    let message: String

    init(_ message: String) { self.message = message }

    var description: String { message }
}
