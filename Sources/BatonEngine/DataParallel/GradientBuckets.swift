import BatonTensor

/// Contiguous ranges of the gradient arena that are summed over ranks as soon as their last element is final.
///
/// The arena stands in backward-completion order, so buckets fill one after the other. Small parameters share a bucket;
/// large ones are cut into several, because a kernel finishes their rows one after the other.
struct GradientBuckets {
    /// Element ranges, ascending, gaps between slots included.
    let ranges: [Range<Int>]
    /// The slots that are summed.
    let slots: Range<Int>
    /// Elements of each bucket that belong to a slot.
    let counts: [Int]

    /// - Parameters:
    ///   - slots: the slots to sum; nil is all.
    ///   - targetBytes: about the size of a bucket. nil is 256 KiB: large enough that latency is a few per cent of the
    ///     transfer, small enough that the last one, which nothing hides, is short. Of gradients beyond 256 MiB it is a
    ///     1024th part, because every bucket has its own message tags.
    init(_ arena: ParameterArena, slots: Range<Int>? = nil, targetBytes: Int? = nil) {
        let slots = slots ?? arena.slots.indices
        let start = slots.isEmpty ? 0 : arena.slots[slots.lowerBound].range.lowerBound
        func end(_ slot: Int) -> Int {
            slot + 1 < arena.slots.count ? arena.slots[slot + 1].range.lowerBound : arena.count
        }
        let total = slots.isEmpty ? 0 : end(slots.upperBound - 1) - start
        let target = max(
            16, (targetBytes ?? max(1 << 18, total * arena.dtype.byteCount / 1024)) / arena.dtype.byteCount)
        var ranges: [Range<Int>] = []
        var counts: [Int] = []
        var open = start..<start
        var openCount = 0
        func close() {
            if openCount > 0 {
                ranges.append(open)
                counts.append(openCount)
            }
            open = open.upperBound..<open.upperBound
            openCount = 0
        }
        for slot in slots {
            let range = arena.slots[slot].range
            // Half of what goes into a bucket of its own, so that none is much smaller than the others.
            let pieces = (range.count + target / 2) / target
            if pieces > 1 {
                close()
                for piece in 1...pieces {
                    let border =
                        piece == pieces ? end(slot) : (range.lowerBound + range.count * piece / pieces) / 16 * 16
                    openCount = min(border, range.upperBound) - open.lowerBound
                    open = open.lowerBound..<border
                    close()
                }
            } else {
                open = open.lowerBound..<end(slot)
                openCount += range.count
                if open.count >= target { close() }
            }
        }
        close()
        self.slots = slots
        self.ranges = ranges
        self.counts = counts
    }

    /// The buckets that share elements with a range.
    func buckets(meeting elements: Range<Int>) -> Range<Int> {
        guard !elements.isEmpty,
            let first = ranges.firstIndex(where: { $0.upperBound > elements.lowerBound })
        else { return 0..<0 }
        let end = ranges[first...].firstIndex { $0.lowerBound >= elements.upperBound } ?? ranges.count
        return first..<end
    }
}
