import Testing

/// `bench collective` as a user calls it.
@Suite(.serialized) struct BenchCollectiveTests {
    @Test(arguments: [2, 3])
    func everySizeIsMeasuredInEveryWay(ranks: Int) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(
            ["bench", "collective", "--sizes", "1,2048", "--seconds", "0", "--json"], ranks: ranks)
        #expect(run.status == 0, "\(run.error)")
        let report = try run.json()
        let rows = try #require(report["rows"] as? [[String: Any]])
        #expect(report["ranks"] as? Int == ranks)
        #expect(rows.map { $0["bytes"] as? Int } == [1024, 2 << 20])
        for row in rows {
            #expect(row.count == 5 && row.values.allSatisfy { ($0 as? Double ?? 0) > 0 })
        }
    }

    @Test func oneRankAndOddSizesAreRefused() throws {
        let alone = try BatonProcess(["bench", "collective"])
        #expect(alone.status == 2 && alone.error.contains("launch/run -n 2"))
        let odd = try BatonProcess(["bench", "collective", "--sizes", "4,x"])
        #expect(odd.status == 2 && odd.error.contains("no list"))
    }
}
