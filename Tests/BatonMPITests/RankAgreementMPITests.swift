import BatonComm
import BatonMPITestSupport
import Testing

/// Every rank must learn of a mismatch, in the same words.
@Suite(.serialized, .enabled(if: TestWorld.isUnderMPI)) struct RankAgreementMPITests {
    @Test func equalFieldsPass() throws {
        try RankAgreement.agree(
            fields: [("build", "1"), ("text", String(repeating: "é", count: 100_000))], on: try TestWorld.communicator()
        )
    }

    /// Values of several lengths; what the last rank has instead; what its message must show of both.
    @Test(arguments: [
        ("batch=64", "batch=32"), ("", "something"), ("short", String(repeating: "long", count: 50_000)),
        (String(repeating: "x", count: 300_000) + "A", String(repeating: "x", count: 300_000) + "B"),
    ])
    func everyRankNamesTheFieldAndBothValues(usual: String, other: String) throws {
        let world = try TestWorld.communicator()
        guard world.size > 1 else { return }
        let isOdd = world.rank == world.size - 1
        try world.barrier()
        let error = try #require(throws: CommError.self) {
            try RankAgreement.agree(
                fields: [("build", "1"), ("configuration", isOdd ? other : usual), ("core", "Zen")], on: world)
        }
        #expect(error.kind == .disagreement)
        let message = error.message
        #expect(message.contains("disagree about configuration: "))
        for value in [usual, other] {
            #expect(message.contains(value.count <= 120 ? "'\(value)'" : String(value.suffix(20))))
        }
        #expect(message.contains(world.size == 2 ? "on rank 0;" : "on ranks 0, 1"))
        #expect(message.contains("on rank \(world.size - 1);"))
        // The same words everywhere, or this would be a disagreement about them.
        try RankAgreement.agree(fields: [("message", message)], on: world)
    }
}
