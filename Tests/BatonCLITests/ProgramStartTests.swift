import Testing

@Suite struct ProgramStartTests {
    @Test(arguments: [[], ["--help"], ["run", "--help"], ["info", "-h"], ["help", "inspect"]])
    func helpIsNoFailure(arguments: [String]) throws {
        let run = try BatonProcess(arguments)
        #expect(run.status == 0)
        #expect(run.output.contains("USAGE: baton"))
        #expect(run.error == "")
    }

    @Test(arguments: [["fly"], ["--fly"], ["info", "--fly"], ["inspect"], ["run", "--kind", "cnn"]])
    func badUsageIsStatusTwo(arguments: [String]) throws {
        let run = try BatonProcess(arguments)
        #expect(run.status == 2)
        #expect(run.output == "")
        #expect(run.error.hasPrefix("baton: "))
    }

    @Test func onlyRankZeroPrints() throws {
        func environment(rank: Int) -> [String: String] {
            [
                "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "\(rank)", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
                "OMPI_COMM_WORLD_LOCAL_RANK": "\(rank)",
            ]
        }
        #expect(try BatonProcess(["info"], environment: environment(rank: 0)).output.contains("ranks:             2"))
        #expect(try BatonProcess(["info"], environment: environment(rank: 1)).output == "")
        let failing = try BatonProcess(["inspect", "absent"], environment: environment(rank: 1))
        #expect(failing.status == 1)
        #expect(failing.error.hasPrefix("rank 1: baton: "))
    }
}
