import BatonComm
import Testing

@Suite struct LaunchEnvironmentTests {
    private let rankOneOfThree = [
        "OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
        "OMPI_COMM_WORLD_LOCAL_RANK": "0",
    ]

    @Test func aProcessWithoutLauncherHasNone() throws {
        #expect(try LaunchEnvironment { _ in nil } == nil)
    }

    @Test func variablesOfTheLauncherAreRead() throws {
        let launch = try #require(try LaunchEnvironment { rankOneOfThree[$0] })
        #expect([launch.rank, launch.size, launch.localRank, launch.localSize] == [1, 3, 0, 2])
        #expect(launch.waitLimit == .seconds(120))
        let patient = try LaunchEnvironment { $0 == "BATON_WAIT_LIMIT" ? "3600" : rankOneOfThree[$0] }
        #expect(patient?.waitLimit == .seconds(3600))
    }

    @Test(arguments: [
        ("OMPI_COMM_WORLD_SIZE", "three"), ("OMPI_COMM_WORLD_SIZE", "0"), ("OMPI_COMM_WORLD_RANK", "3"),
        ("OMPI_COMM_WORLD_RANK", "-1"), ("OMPI_COMM_WORLD_LOCAL_SIZE", "4"), ("OMPI_COMM_WORLD_LOCAL_RANK", "2"),
        ("BATON_WAIT_LIMIT", "0"), ("BATON_WAIT_LIMIT", "2 min"),
    ])
    func nonsenseIsRefusedAndNamed(variable: String, value: String) throws {
        let error = try #require(throws: CommError.self) {
            try LaunchEnvironment { $0 == variable ? value : rankOneOfThree[$0] }
        }
        #expect(error.kind == .invalid)
        #expect(error.message.contains("\(variable) is '\(value)'"))
    }

    @Test func aMissingVariableIsRefusedAndNamed() throws {
        let error = try #require(throws: CommError.self) {
            try LaunchEnvironment { $0 == "OMPI_COMM_WORLD_RANK" ? nil : rankOneOfThree[$0] }
        }
        #expect(error.message.contains("OMPI_COMM_WORLD_RANK is missing"))
    }
}
