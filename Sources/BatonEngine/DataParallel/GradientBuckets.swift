import BatonTensor

/// Contiguous ranges of the gradient arena that are summed over ranks as soon as their last parameter is final.
///
/// The arena stands in backward-completion order, so buckets fill one after the other.
struct GradientBuckets {
    /// Element ranges, gaps between slots included.
    let ranges: [Range<Int>]
    /// The slots that are summed.
    let slots: Range<Int>
    /// Bucket of each of them, in memory order.
    let bucketOfSlot: [Int]
    /// Number of slots of each bucket.
    let slotCounts: [Int]

    /// - Parameters:
    ///   - slots: the slots to sum; nil is all.
    ///   - targetBytes: size from which a bucket is closed. 1 MiB: large enough that latency is a few per cent
    ///   of the transfer, small enough that the last bucket is short.
    init(_ arena: ParameterArena, slots: Range<Int>? = nil, targetBytes: Int = 1 << 20) {
        let slots = slots ?? arena.slots.indices
        var ranges: [Range<Int>] = []
        var bucketOfSlot: [Int] = []
        var counts: [Int] = []
        var start = slots.isEmpty ? 0 : arena.slots[slots.lowerBound].range.lowerBound
        var slotsInBucket = 0
        for index in slots {
            bucketOfSlot.append(ranges.count)
            slotsInBucket += 1
            let end = index + 1 < arena.slots.count ? arena.slots[index + 1].range.lowerBound : arena.count
            if (end - start) * arena.dtype.byteCount >= targetBytes || index + 1 == slots.upperBound {
                ranges.append(start..<end)
                counts.append(slotsInBucket)
                start = end
                slotsInBucket = 0
            }
        }
        self.slots = slots
        self.ranges = ranges
        self.bucketOfSlot = bucketOfSlot
        slotCounts = counts
    }

    /// Bucket of a slot; nil if it is not summed.
    func bucket(ofSlot slot: Int) -> Int? {
        slots.contains(slot) ? bucketOfSlot[slot - slots.lowerBound] : nil
    }
}
