import Testing

@testable import BatonComm

/// The comparison itself; that every rank learns of it is tested under mpirun in BatonMPITests.
@Suite struct RankAgreementTests {
    @Test func oneProcessAgreesWithItself() throws {
        try RankAgreement.agree(fields: [("build", "a"), ("empty", "")], on: SelfCommunicator())
    }

    @Test func equalTablesAgree() {
        let table = [(name: "build", value: "a"), (name: "config", value: "b")]
        #expect(RankAgreement.disagreement([table, table, table]) == nil)
    }

    @Test func theFieldBothValuesAndTheirRanksAreNamed() throws {
        let message = try #require(
            RankAgreement.disagreement([
                [("build", "1"), ("core", "Haswell")], [("build", "1"), ("core", "SkylakeX")],
                [("build", "1"), ("core", "Haswell")],
            ]))
        #expect(message.contains("disagree about core: 'Haswell' on ranks 0, 2; 'SkylakeX' on rank 1;"))
    }

    @Test func furtherFieldsAreListed() throws {
        let message = try #require(
            RankAgreement.disagreement([[("a", "1"), ("b", "1"), ("c", "1")], [("a", "2"), ("b", "1"), ("c", "2")]]))
        #expect(message.contains("about a: '1' on rank 0; '2' on rank 1 (and about c)"))
    }

    @Test func aFieldThatOneRankLacksIsNamed() throws {
        let message = try #require(RankAgreement.disagreement([[("a", "1")], [("a", "1"), ("b", "2")]]))
        #expect(message.contains("about b: no value on rank 0; '2' on rank 1"))
    }

    @Test func longValuesAreShownWhereTheyPart() throws {
        let same = String(repeating: "x", count: 5000)
        let message = try #require(
            RankAgreement.disagreement([[("config", same + "LEFT" + same)], [("config", same + "RIGHT" + same)]]))
        #expect(message.contains("xxLEFTxx") && message.contains("xxRIGHTxx"))
        #expect(message.count < 500)
    }
}
