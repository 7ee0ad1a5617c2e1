#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the launcher says about this process, read from environment variables alone: MPI is not touched, so a process
/// that was not started by `mpirun` can find out without ever calling it.
public struct LaunchEnvironment: Sendable, Hashable {
    /// This process' number among all, 0 ..< `size`.
    public let rank: Int
    /// Number of processes of the job.
    public let size: Int
    /// This process' number among those of the job on this machine.
    public let localRank: Int
    /// Number of processes of the job on this machine.
    public let localSize: Int
    /// How long the processes wait for each other before they give up: `BATON_WAIT_LIMIT` in seconds, else 120 s.
    public let waitLimit: Duration

    /// The environment of a process started by Open MPI's `mpirun`; nil in any other process.
    ///
    /// - Parameter variable: Looks up an environment variable.
    /// - Throws: `CommError` when the variables contradict each other or are no numbers.
    public init?(variable: (String) -> String? = LaunchEnvironment.processVariable) throws(CommError) {
        guard variable("OMPI_COMM_WORLD_SIZE") != nil else { return nil }
        size = try LaunchEnvironment.number("OMPI_COMM_WORLD_SIZE", in: 1...Int(Int32.max), variable)
        rank = try LaunchEnvironment.number("OMPI_COMM_WORLD_RANK", in: 0...size - 1, variable)
        localSize = try LaunchEnvironment.number("OMPI_COMM_WORLD_LOCAL_SIZE", in: 1...size, variable)
        localRank = try LaunchEnvironment.number("OMPI_COMM_WORLD_LOCAL_RANK", in: 0...localSize - 1, variable)
        waitLimit = try LaunchEnvironment.waitLimit(variable("BATON_WAIT_LIMIT"))
    }

    /// The process' number, also where other variables are wrong: who says so must be one. 0 outside a job.
    public static let ownRank = processVariable("OMPI_COMM_WORLD_RANK").flatMap { Int($0) } ?? 0

    private static func waitLimit(_ text: String?) throws(CommError) -> Duration {
        guard let text else { return .seconds(120) }
        guard let seconds = Int(text), 1...1_000_000 ~= seconds else {
            throw CommError(.invalid, "BATON_WAIT_LIMIT is '\(text)', expected seconds from 1 to 1000000.")
        }
        return .seconds(seconds)
    }

    private static func number(
        _ name: String, in range: ClosedRange<Int>, _ variable: (String) -> String?
    ) throws(CommError) -> Int {
        let text = variable(name)
        guard let text, let value = Int(text), range.contains(value) else {
            throw CommError(
                .invalid,
                "environment variable \(name) is \(text.map { "'\($0)'" } ?? "missing"), expected a number in "
                    + "\(range.lowerBound)...\(range.upperBound); start the ranks with mpirun, or unset all "
                    + "OMPI_COMM_WORLD variables to run one process.")
        }
        return value
    }

    /// The value of a variable in this process' environment.
    public static func processVariable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
