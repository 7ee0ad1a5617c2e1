import BatonTensor
import Testing

@testable import BatonEngine

@Suite struct GradientBucketsTests {
    private func arena() throws -> ParameterArena {
        ParameterArena(LanguageModel(try TinyRun.configuration().model, seed: 1).parameters.reversed())
    }

    @Test(arguments: [1, 100, 500, 5000, 1 << 20])
    func bucketsCoverTheArenaOnceAndCountTheElementsOfParameters(targetBytes: Int) throws {
        let arena = try arena()
        let buckets = GradientBuckets(arena, targetBytes: targetBytes)
        #expect(buckets.ranges.first?.lowerBound == 0)
        #expect(buckets.ranges.last?.upperBound == arena.count)
        #expect(zip(buckets.ranges, buckets.ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        for (bucket, count) in zip(buckets.ranges, buckets.counts) {
            #expect(count == arena.slots.reduce(0) { $0 + $1.range.clamped(to: bucket).count })
            #expect(count > 0)
        }
    }

    /// A bucket that reached from one large parameter into the next would leave only when both are final.
    @Test func largeParametersHaveBucketsOfTheirOwn() throws {
        let arena = try arena()
        let target = 2000
        let buckets = GradientBuckets(arena, targetBytes: target).ranges
        let large = arena.slots.filter { $0.range.count * 4 > 2 * target }
        #expect(!large.isEmpty)
        for slot in large {
            let meeting = buckets.filter { $0.overlaps(slot.range) }
            #expect(meeting.count > 1 && meeting.first?.lowerBound == slot.range.lowerBound)
            #expect(meeting.dropLast().allSatisfy { $0.upperBound <= slot.range.upperBound })
            #expect(meeting.allSatisfy { 2 * target / 3 - 64 <= $0.count * 4 && $0.count * 4 <= 3 * target / 2 + 64 })
        }
    }

    @Test func onlyTheSlotsThatAreSummedAreInBuckets() throws {
        let arena = try arena()
        let slots = 2..<arena.slots.count - 1
        let buckets = GradientBuckets(arena, slots: slots, targetBytes: 500)
        #expect(buckets.ranges.first?.lowerBound == arena.slots[2].range.lowerBound)
        #expect(buckets.ranges.last?.upperBound == arena.slots[slots.upperBound].range.lowerBound)
        #expect(GradientBuckets(arena, slots: 3..<3).ranges.isEmpty)
    }

    @Test func bucketsAreFoundByTheElementsTheyHold() throws {
        let buckets = GradientBuckets(try arena(), targetBytes: 500)
        for first in stride(from: 0, to: buckets.ranges.last?.upperBound ?? 0, by: 97) {
            for count in [0, 1, 40, 500] {
                let elements = first..<first + count
                let expected = buckets.ranges.indices.filter { buckets.ranges[$0].overlaps(elements) }
                #expect(Array(buckets.buckets(meeting: elements)) == expected)
            }
        }
    }
}
