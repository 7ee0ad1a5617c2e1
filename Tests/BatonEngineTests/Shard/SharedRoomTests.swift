import Testing

@testable import BatonEngine

/// What is asked of `/dev/shm` before layouts with shards are tried.
@Suite struct SharedRoomTests {
    @Test func everyGroupOfAMachineCounts() throws {
        let room = SharedRoom(bytes: 64 << 20, ranksPerMachine: 4)
        #expect(room.refusal(shards: 4, needed: 0x1p26) == nil)
        let refusal = try #require(room.refusal(shards: 2, needed: 0x1p26))
        #expect(refusal.contains("128 MiB") && refusal.contains("64 MiB"))
        #expect(room.refusal(shards: 2, needed: 0x1p25) == nil)
        // Ranks of several machines.
        #expect(SharedRoom(bytes: 64 << 20, ranksPerMachine: 1).refusal(shards: 2, needed: 0x1p26) == nil)
    }

    @Test func withoutShardsOrAnAnswerNothingIsRefused() {
        #expect(SharedRoom(bytes: 1, ranksPerMachine: 2).refusal(shards: 1, needed: 1e12) == nil)
        #expect(SharedRoom(bytes: nil, ranksPerMachine: 2).refusal(shards: 2, needed: 1e12) == nil)
    }
}
