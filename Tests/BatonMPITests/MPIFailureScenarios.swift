import BatonComm
import BatonMPITestSupport
import BatonTestSupport
import Testing

@testable import BatonMPI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the ranks do in jobs that are meant to fail. Not tests of their own: MPIFailureTests starts each as a job under
/// mpirun and looks at how it ends.
@Suite(.serialized) struct MPIFailureScenarios {
    /// The scenario this process was started for, if any.
    static let variable = "BATON_MPI_SCENARIO"

    private static func isOrdered(_ name: String) -> Bool {
        TestWorld.isUnderMPI && LaunchEnvironment.processVariable(variable) == name
    }

    @Test(.enabled(if: isOrdered("abortWhileOthersWait"))) func abortWhileOthersWait() throws {
        let world = try TestWorld.communicator()
        try world.barrier()
        if world.rank == world.size - 1 { complainAndAbort(world) }
        let target = ByteBlock(count: 8)
        try world.immediateReceive(into: target.bytes, from: world.size - 1, tag: 0).wait(limit: .seconds(60))
    }

    @Test(.enabled(if: isOrdered("abortWhileOthersCompute"))) func abortWhileOthersCompute() throws {
        let world = try TestWorld.communicator()
        try world.barrier()
        if world.rank == 0 { complainAndAbort(world) }
        sleep(60)
    }

    private func complainAndAbort(_ world: any Communicator) -> Never {
        print("rank \(world.rank) found something wrong.")
        world.abort(code: 3)
    }

    @Test(.enabled(if: isOrdered("leaveWithoutFinalize"))) func leaveWithoutFinalize() throws {
        let world = try TestWorld.communicator()
        try world.barrier()
        if world.rank == 0 { _exit(0) }
        sleep(60)
    }

    /// Exit status 9 if everything was as it should be.
    @Test(.enabled(if: isOrdered("dropAnUnfinishedSend"))) func dropAnUnfinishedSend() throws {
        let world = try TestWorld.communicator()
        if world.rank > 0 { sleep(60) }
        let block = ByteBlock(count: 1 << 20)
        _ = try world.immediateSend(block.source, to: 1, tag: 77)
        do {
            _ = try world.immediateSend(block.source, to: 1, tag: 78)
        } catch {
            print("\(error)")
            if error.kind == .closed { world.abort(code: 9) }
        }
        world.abort(code: 1)
    }

    /// Exit status 9 if a receive whose message has begun to arrive, dropped, closes MPI as well.
    @Test(.enabled(if: isOrdered("dropAReceiveUnderWay"))) func dropAReceiveUnderWay() throws {
        let world = try TestWorld.communicator()
        let block = ByteBlock(count: 1 << 22)
        if world.rank == 1 {
            let send = try world.immediateSend(block.source, to: 0, tag: 77)
            sleep(60)
            try send.wait(limit: .seconds(1))
        }
        usleep(300_000)
        do {
            // The sender sleeps, so without single copies the transfer cannot end.
            let receive = try world.immediateReceive(into: block.bytes, from: 1, tag: 77)
            for _ in 0..<1000 where try receive.test() { world.abort(code: 1) }
        }
        let error = #expect(throws: CommError.self) { try world.barrier() }
        print(error?.message ?? "")
        world.abort(code: error?.kind == .closed ? 9 : 1)
    }
}
