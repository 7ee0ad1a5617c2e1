public import BatonComm
internal import BatonMPI

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// All processes of a test run: MPI's world under `mpirun`, otherwise a group of one that never touches MPI.
///
/// Suites that use it are `.serialized` and run with `--no-parallel`, so that all ranks run the same tests in the same
/// order, one at a time.
public enum TestWorld {
    /// Whether `mpirun` started this test process; for `.enabled(if:)`.
    public static let isUnderMPI = LaunchEnvironment.processVariable("OMPI_COMM_WORLD_SIZE") != nil

    /// The group of all ranks. MPI starts at the first call and is finalised when the process exits normally.
    public static func communicator() throws -> any Communicator { try world.get() }

    // Guarded by the rule above: tests that touch it run one at a time.
    nonisolated(unsafe) private static let world: Result<any Communicator, CommError> = {
        () -> Result<any Communicator, CommError> in
        do throws(CommError) {
            guard let launch = try LaunchEnvironment() else { return .success(SelfCommunicator()) }
            let environment = try MPIEnvironment(launch)
            finalizing = environment
            atexit { try? TestWorld.finalizing?.finalize() }
            // A test that hangs should fail, not wait for the whole job's limit.
            environment.world.waitLimit = .seconds(20)
            return .success(environment.world)
        } catch {
            return .failure(error)
        }
    }()

    // Set once while `world` is made, read once at exit.
    nonisolated(unsafe) private static var finalizing: MPIEnvironment?
}
