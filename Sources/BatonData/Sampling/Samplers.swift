import BatonChecks
internal import BatonTensor

/// Positions 0 ..< length, or from `start` on, in order. Source: Gluon `SequentialSampler`.
public struct SequentialSampler: Sequence, Sendable {
    private let range: Range<Int>
    /// `length` positions from `start`.
    ///
    /// - Precondition: length ≥ 0.
    public init(length: Int, start: Int = 0) {
        require(length >= 0, "SequentialSampler: expected length ≥ 0, got \(length)")
        range = start..<start + length
    }
    /// Goes through them once.
    public func makeIterator() -> IndexingIterator<Range<Int>> { range.makeIterator() }
}

/// Positions 0 ..< length, every one once, in an order that is a function of the seed and the epoch.
/// Source: Gluon `RandomSampler`, with Fisher–Yates on the counter-based generator.
public struct RandomSampler: Sequence, Sendable {
    private let length: Int
    private let stream: RandomStream
    /// The order of an epoch.
    ///
    /// - Precondition: length ≥ 0.
    public init(length: Int, seed: UInt64, epoch: Int = 0) {
        require(length >= 0, "RandomSampler: expected length ≥ 0, got \(length)")
        self.length = length
        stream = RandomStream(seed: seed, name: "sampler epoch \(epoch)")
    }

    /// Goes through them once.
    public func makeIterator() -> IndexingIterator<[Int]> {
        var order = Array(0..<length)
        for index in stride(from: length - 1, to: 0, by: -1) {
            order.swapAt(index, Int(stream.uniform(UInt64(index)) * Double(index + 1)))
        }
        return order.makeIterator()
    }
}

/// Positions of the samples that a condition holds for. Source: Gluon `FilterSampler`.
public struct FilterSampler: Sequence, Sendable {
    private let positions: [Int]
    /// Asks once for every sample.
    public init<Samples: Collection>(_ samples: Samples, _ condition: (Samples.Element) throws -> Bool) rethrows {
        positions = try samples.enumerated().filter { try condition($0.element) }.map(\.offset)
    }
    /// Goes through them once.
    public func makeIterator() -> IndexingIterator<[Int]> { positions.makeIterator() }
}

/// 0, k, 2k, …, then 1, k+1, …, up to k−1; without rollover the first round only.
///
/// With k = length / batch the rows of consecutive batches of B positions are contiguous text.
/// Source: Gluon contrib `IntervalSampler`.
public struct IntervalSampler: Sequence, Sendable {
    private let length: Int
    private let interval: Int
    private let rollover: Bool

    /// - Throws: `DataError` unless 1 ≤ interval ≤ length.
    public init(length: Int, interval: Int, rollover: Bool = true) throws(DataError) {
        guard interval >= 1, interval <= length else {
            throw DataError(
                .outOfRange,
                "The interval is \(interval) where 1 to the length \(length) is expected; choose one of these.")
        }
        self.length = length
        self.interval = interval
        self.rollover = rollover
    }

    /// Goes through them once.
    public func makeIterator() -> IndexingIterator<[Int]> {
        (0..<(rollover ? interval : 1)).flatMap { Array(stride(from: $0, to: length, by: interval)) }.makeIterator()
    }
}

/// What a `BatchSampler` does with positions that do not fill a batch.
public enum LastBatch: String, Sendable, CaseIterable {
    /// A smaller batch.
    case keep
    /// Dropped.
    case discard
    /// Kept for the first batch of the next round.
    case rollover
}

/// Groups of positions from a sampler. Source: Gluon `BatchSampler`.
public final class BatchSampler: Sequence {
    private let sampler: any Sequence<Int>
    private let batchSize: Int
    private let lastBatch: LastBatch
    private var left: [Int] = []

    /// - Precondition: batchSize ≥ 1.
    public init(_ sampler: some Sequence<Int>, batchSize: Int, lastBatch: LastBatch = .keep) {
        require(batchSize >= 1, "BatchSampler: expected batchSize ≥ 1, got \(batchSize)")
        self.sampler = sampler
        self.batchSize = batchSize
        self.lastBatch = lastBatch
    }

    /// One round through the sampler.
    public func makeIterator() -> IndexingIterator<[[Int]]> {
        var batches: [[Int]] = []
        var current = left
        left = []
        for position in sampler {
            current.append(position)
            if current.count == batchSize {
                batches.append(current)
                current = []
            }
        }
        if !current.isEmpty {
            switch lastBatch {
            case .keep: batches.append(current)
            case .discard: break
            case .rollover: left = current
            }
        }
        return batches.makeIterator()
    }
}
