import BatonComm
import BatonMPITestSupport
import Testing

@testable import BatonMPI

@Suite(.serialized, .enabled(if: TestWorld.isUnderMPI)) struct MPIEnvironmentTests {
    @Test func theWorldIsWhatTheLauncherSays() throws {
        let world = try TestWorld.communicator()
        let launch = try #require(try LaunchEnvironment())
        #expect(world.rank == launch.rank && world.size == launch.size)
    }

    @Test func aSecondEnvironmentIsRefused() throws {
        _ = try TestWorld.communicator()
        let launch = try #require(try LaunchEnvironment())
        let error = try #require(throws: CommError.self) { try MPIEnvironment(launch) }
        #expect(error.message.contains("initialised twice"))
    }

    @Test func ranksYieldOnlyWhenTheyShareCores() throws {
        let launch = try #require(try LaunchEnvironment())
        #expect(try TestWorld.communicator().waitPolicy == .forRanks(launch.localSize))
        #expect(WaitPolicy.forRanks(1) == .spinning)
        #expect(WaitPolicy.forRanks(100_000) == .yielding)
    }

    /// The return codes of MPI reach the caller as errors with MPI's own text, and do not end the process.
    @Test func mpiErrorsAreReturned() throws {
        let world = try #require(try TestWorld.communicator() as? MPICommunicator)
        let error = try #require(throws: CommError.self) {
            try world.check.perform("MPI_Test", "a test") { 6 }
        }
        #expect(error.kind == .transport && error.code == 6)
        #expect(error.message.hasPrefix("MPI_Test failed for a test: MPI_ERR_RANK"))
    }
}
