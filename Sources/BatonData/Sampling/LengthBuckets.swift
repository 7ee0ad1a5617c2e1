/// Batches of samples of similar length, so that little is computed on padding.
///
/// Samples are sorted into buckets by length: bucket k of K holds lengths up to min + (k+1)·(max − min)/K, rounded up.
/// Batches come from one bucket each; with a seed the order of samples within buckets and of all batches is a function
/// of seed and epoch. Source: GluonNLP `FixedBucketSampler` with constant widths.
public struct LengthBuckets: Sendable {
    /// Largest length of every bucket that has samples, rising.
    public let bounds: [Int]
    private let members: [[Int]]
    private let batchSize: Int

    /// Sorts the samples into buckets.
    ///
    /// - Parameters:
    ///   - lengths: of all samples.
    ///   - bucketCount: K.
    /// - Throws: `DataError` if there are no samples, a length is negative, or a size is not positive.
    public init(lengths: [Int], batchSize: Int, bucketCount: Int = 10) throws(DataError) {
        guard let shortest = lengths.min(), let longest = lengths.max() else {
            throw DataError(.outOfRange, "There are no lengths to sort into buckets; give that of at least one sample.")
        }
        guard shortest >= 0 else {
            throw DataError(
                .outOfRange,
                "Sample \(lengths.firstIndex(of: shortest) ?? 0) has the length \(shortest) where 0 or more is expected; correct it."
            )
        }
        guard batchSize >= 1, bucketCount >= 1 else {
            throw DataError(
                .outOfRange,
                "Batches of \(batchSize) samples and \(bucketCount) buckets are asked for where at least 1 of each is expected; raise them."
            )
        }
        let all = (1...bucketCount).map { shortest + ($0 * (longest - shortest) + bucketCount - 1) / bucketCount }
        var members = [[Int]](repeating: [], count: bucketCount)
        for (position, length) in lengths.enumerated() {
            members[all.firstIndex { length <= $0 } ?? bucketCount - 1].append(position)
        }
        let used = members.indices.filter { !members[$0].isEmpty }
        bounds = used.map { all[$0] }
        self.members = used.map { members[$0] }
        self.batchSize = batchSize
    }

    /// The positions of the samples of every batch, `batchSize` of them but for the last of each bucket.
    ///
    /// - Parameters:
    ///   - seed: decides the order, together with `epoch`; nil keeps that of the samples, shortest bucket first.
    ///   - epoch: another order for every pass through the data.
    public func batches(seed: UInt64? = nil, epoch: Int = 0) -> [[Int]] {
        let batches = members.enumerated().flatMap { index, positions -> [[Int]] in
            var order = positions
            if let seed {
                let sampler = RandomSampler(length: positions.count, seed: seed &+ UInt64(index) &+ 1, epoch: epoch)
                order = sampler.map { positions[$0] }
            }
            return stride(from: 0, to: order.count, by: batchSize).map {
                Array(order[$0..<min($0 + batchSize, order.count)])
            }
        }
        guard let seed else { return batches }
        return RandomSampler(length: batches.count, seed: seed, epoch: epoch).map { batches[$0] }
    }
}
