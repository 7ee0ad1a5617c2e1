import BatonData
import Testing

@Suite struct SamplerTests {
    @Test func sequentialAndFilteredPositions() {
        #expect(Array(SequentialSampler(length: 3, start: 2)) == [2, 3, 4])
        #expect(Array(FilterSampler([5, 8, 2, 9]) { $0 > 4 }) == [0, 1, 3])
    }

    @Test func randomOrdersArePermutationsBySeedAndEpoch() {
        let order = Array(RandomSampler(length: 100, seed: 3))
        #expect(order.sorted() == Array(0..<100) && order != Array(0..<100))
        #expect(Array(RandomSampler(length: 100, seed: 3)) == order)
        #expect(Array(RandomSampler(length: 100, seed: 3, epoch: 1)) != order)
        #expect(Array(RandomSampler(length: 0, seed: 3)).isEmpty)
        // Every position comes first about equally often: 300 draws of 3, six standard deviations of 8.2.
        let firsts = (0..<300).map { Array(RandomSampler(length: 3, seed: 9, epoch: $0))[0] }
        for position in 0..<3 { #expect(abs(firsts.count { $0 == position } - 100) < 49) }
    }

    @Test func intervalsAreGluons() throws {
        #expect(try Array(IntervalSampler(length: 13, interval: 3)) == [0, 3, 6, 9, 12, 1, 4, 7, 10, 2, 5, 8, 11])
        #expect(try Array(IntervalSampler(length: 13, interval: 3, rollover: false)) == [0, 3, 6, 9, 12])
        #expect(throws: DataError.self) { try IntervalSampler(length: 2, interval: 3) }
        #expect(throws: DataError.self) { try IntervalSampler(length: 2, interval: 0) }
    }

    @Test func batchesKeepDiscardOrRollOver() {
        func rounds(_ mode: LastBatch) -> [[[Int]]] {
            let sampler = BatchSampler(SequentialSampler(length: 5), batchSize: 2, lastBatch: mode)
            return [Array(sampler), Array(sampler)]
        }
        #expect(rounds(.keep) == [[[0, 1], [2, 3], [4]], [[0, 1], [2, 3], [4]]])
        #expect(rounds(.discard) == [[[0, 1], [2, 3]], [[0, 1], [2, 3]]])
        #expect(rounds(.rollover) == [[[0, 1], [2, 3]], [[4, 0], [1, 2], [3, 4]]])
    }
}
