import BatonData
import BatonTensor
import Testing

@Suite struct VariableLengthBatchTests {
    @Test func bucketsHoldSimilarLengths() throws {
        let lengths = (0..<50).map { 1 + $0 * 7 % 23 }
        let buckets = try LengthBuckets(lengths: lengths, batchSize: 4, bucketCount: 3)
        #expect(buckets.bounds == [9, 16, 23])
        let batches = buckets.batches()
        #expect(batches.joined().sorted() == Array(0..<50))
        for batch in batches {
            #expect(batch.count <= 4)
            let own = batch.map { position in buckets.bounds.firstIndex { lengths[position] <= $0 } }
            #expect(Set(own).count == 1)
        }
        // Padding costs less than with batches in order.
        func padded(_ batches: [[Int]]) -> Int {
            batches.reduce(0) { $0 + $1.count * ($1.map { lengths[$0] }.max() ?? 0) }
        }
        let inOrder = stride(from: 0, to: 50, by: 4).map { Array($0..<min($0 + 4, 50)) }
        #expect(padded(batches) < padded(inOrder))
    }

    @Test func shuffledBatchesBelongToSeedAndEpoch() throws {
        let buckets = try LengthBuckets(lengths: (0..<40).map { $0 % 10 }, batchSize: 3, bucketCount: 2)
        let first = buckets.batches(seed: 5)
        #expect(first != buckets.batches() && first == buckets.batches(seed: 5))
        #expect(first != buckets.batches(seed: 5, epoch: 1))
        #expect(first.joined().sorted() == Array(0..<40))
    }

    @Test func equalLengthsShareOneBucket() throws {
        #expect(try LengthBuckets(lengths: [4, 4, 4], batchSize: 2).batches() == [[0, 1], [2]])
        #expect(throws: DataError.self) { try LengthBuckets(lengths: [], batchSize: 2) }
        #expect(throws: DataError.self) { try LengthBuckets(lengths: [1, -1], batchSize: 2) }
        #expect(throws: DataError.self) { try LengthBuckets(lengths: [1], batchSize: 0) }
    }

    @Test func aPaddedBatchHasZerosBehindEachSequence() throws {
        let sequences = [
            Tensor([Float(1), 2, 3, 4], shape: [2, 2]), Tensor(zeros: [0, 2]), Tensor([Float(5), 6], shape: [1, 2]),
        ]
        let rows = try PaddedBatch(sequences, layout: .NTC)
        #expect(rows.values.shape == [3, 2, 2] && rows.lengths.integers() == [2, 0, 1])
        #expect(rows.values.elements(as: Float.self) == [1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0])
        let steps = try PaddedBatch(sequences, layout: .TNC, steps: 3)
        #expect(steps.values.shape == [3, 3, 2])
        #expect(steps.values.elements(as: Float.self).prefix(6) == [1, 2, 0, 0, 5, 6])
        let error = #expect(throws: DataError.self) { try PaddedBatch(sequences, steps: 1) }
        #expect(error?.code == .outOfRange)
        #expect(throws: DataError.self) { try PaddedBatch([sequences[0], Tensor(zeros: [2, 3])]) }
        #expect(throws: DataError.self) { try PaddedBatch([]) }
    }
}
