import Testing

@testable import BatonComm

@Suite struct ParallelLayoutTests {
    @Test func shardVariesFastestThenDirectionStageReplica() {
        let layout = ParallelLayout(replicas: 2, stages: 3, directions: 2, shards: 2)
        #expect(layout.rankCount == 24)
        #expect(layout.place(ofRank: 0) == .init())
        #expect(layout.place(ofRank: 1) == .init(shard: 1))
        #expect(layout.place(ofRank: 2) == .init(direction: 1))
        #expect(layout.place(ofRank: 4) == .init(stage: 1))
        #expect(layout.place(ofRank: 12) == .init(replica: 1))
        for rank in 0..<24 { #expect(layout.rank(at: layout.place(ofRank: rank)) == rank) }
    }

    @Test(arguments: ["dp=1", "dp=4", "pp=2", "dp=2,pp=3", "dp=2,pp=3,dir=2,shard=4", "shard=7"])
    func aProductReadsAndPrintsItself(text: String) throws {
        #expect(try ParallelLayout(parsing: text).description == text)
    }

    @Test func orderAndOnesDoNotMatter() throws {
        #expect(try ParallelLayout(parsing: "pp=2,dp=3") == ParallelLayout(replicas: 3, stages: 2))
        #expect(try ParallelLayout(parsing: "dp=1,pp=2,dir=1,shard=1").description == "pp=2")
    }

    @Test(arguments: [
        "", ",", "dp", "dp=", "dp=0", "dp=-1", "dp=2,", "pp=two", "dp=2,dp=2", "tp=2", "dir=3", "dp=1=2", "DP=2",
        "dp=99999999999999999999", "dp=32768", "dp=2;pp=2", " dp=2",
    ])
    func whatIsNoProductIsRefused(text: String) {
        let error = #expect(throws: CommError.self) { _ = try ParallelLayout(parsing: text) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("'\(text)'") == true)
    }

    @Test func anotherNumberOfRanksIsRefusedWithTheRightOne() throws {
        let layout = try ParallelLayout(parsing: "dp=2,pp=2")
        try layout.check(ranks: 4)
        let error = #expect(throws: CommError.self) { try layout.check(ranks: 3) }
        #expect(error?.message == "layout dp=2,pp=2 needs 4 ranks, but there are 3; start as many as it needs.")
        #expect(throws: CommError.self) { _ = try ProcessGrid(layout, world: SelfCommunicator()) }
    }
}
