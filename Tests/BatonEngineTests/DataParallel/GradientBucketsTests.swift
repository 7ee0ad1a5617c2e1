import BatonTensor
import Testing

@testable import BatonEngine

@Suite struct GradientBucketsTests {
    @Test(arguments: [1, 100, 5000, 1 << 20])
    func bucketsCoverTheArenaOnceAndEverySlotIsInItsBucket(targetBytes: Int) throws {
        let model = LanguageModel(try TinyRun.configuration().model, seed: 1)
        let arena = ParameterArena(model.parameters.reversed(), subtreeCount: 1)
        let buckets = GradientBuckets(arena, targetBytes: targetBytes)
        #expect(buckets.ranges.first?.lowerBound == 0)
        #expect(buckets.ranges.last?.upperBound == arena.count)
        #expect(zip(buckets.ranges, buckets.ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(buckets.bucketOfSlot.count == arena.slots.count)
        for (slot, bucket) in zip(arena.slots, buckets.bucketOfSlot) {
            #expect(buckets.ranges[bucket].lowerBound <= slot.range.lowerBound)
            #expect(slot.range.upperBound <= buckets.ranges[bucket].upperBound)
        }
        for (bucket, count) in buckets.slotCounts.enumerated() {
            #expect(buckets.bucketOfSlot.count { $0 == bucket } == count)
        }
        for range in buckets.ranges.dropLast() { #expect(range.count * 4 >= targetBytes) }
        #expect(targetBytes > 1 || buckets.ranges.count == arena.slots.count)
    }
}
