import BatonChecks

/// How the ranks of a job divide a model and its batch: a product of four counts that equals the number of ranks.
///
/// | Factor | Divides |
/// |---|---|
/// | `dp=D` | the batch, over D replicas |
/// | `pp=P` | the layers, over P pipeline stages |
/// | `dir=2` | the two directions of bidirectional layers |
/// | `shard=S` | the hidden units of a layer |
///
/// Over ranks `shard` varies fastest, then `dir`, `pp`, `dp`.
public struct ParallelLayout: Sendable, Hashable, CustomStringConvertible {
    /// The coordinates of one rank.
    public struct Place: Sendable, Hashable {
        /// Along `dp`.
        public var replica: Int
        /// Along `pp`.
        public var stage: Int
        /// Along `dir`.
        public var direction: Int
        /// Along `shard`.
        public var shard: Int

        /// Coordinates; those not given are 0.
        public init(replica: Int = 0, stage: Int = 0, direction: Int = 0, shard: Int = 0) {
            self.replica = replica
            self.stage = stage
            self.direction = direction
            self.shard = shard
        }
    }

    /// D.
    public let replicas: Int
    /// P.
    public let stages: Int
    /// 1 or 2.
    public let directions: Int
    /// S.
    public let shards: Int

    /// A layout of given counts.
    ///
    /// - Precondition: counts of at least 1, and at most two directions.
    public init(replicas: Int = 1, stages: Int = 1, directions: Int = 1, shards: Int = 1) {
        require(
            replicas >= 1 && stages >= 1 && shards >= 1 && (1...2).contains(directions),
            "ParallelLayout: expected counts of at least 1 and one or two directions, got \(replicas), \(stages), \(directions), \(shards)"
        )
        self.replicas = replicas
        self.stages = stages
        self.directions = directions
        self.shards = shards
    }

    /// Reads a product such as `dp=2,pp=3`. Factors stand in any order; those left out are 1.
    ///
    /// - Throws: `CommError` of kind `invalid` naming what cannot be read.
    public init(parsing text: String) throws(CommError) {
        var counts: [String: Int] = [:]
        for factor in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = factor.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, Self.names.contains(parts[0]), let count = Int(parts[1]),
                (1...Self.largestCount).contains(count)
            else {
                throw CommError(
                    .invalid,
                    "layout '\(text)': '\(factor)' is none of dp=D, pp=P, dir=2, shard=S with a count from 1 to \(Self.largestCount); write for instance dp=2,pp=2."
                )
            }
            guard counts[parts[0]] == nil else {
                throw CommError(.invalid, "layout '\(text)': \(parts[0]) is given twice; give each factor once.")
            }
            counts[parts[0]] = count
        }
        guard counts["dir"] ?? 1 <= 2 else {
            throw CommError(.invalid, "layout '\(text)': dir is 1 or 2, because a layer has at most two directions.")
        }
        self.init(
            replicas: counts["dp"] ?? 1, stages: counts["pp"] ?? 1, directions: counts["dir"] ?? 1,
            shards: counts["shard"] ?? 1)
    }

    private static let names = ["dp", "pp", "dir", "shard"]
    /// Of one factor, so that no product of four overflows.
    private static let largestCount = 32767

    /// Number of ranks, D·P·dir·S.
    public var rankCount: Int { replicas * stages * directions * shards }

    /// The factors above 1, as `init(parsing:)` reads them; `dp=1` for a single rank.
    public var description: String {
        let factors = zip(Self.names, [replicas, stages, directions, shards]).filter { $1 > 1 }.map { "\($0)=\($1)" }
        return factors.isEmpty ? "dp=1" : factors.joined(separator: ",")
    }

    /// The coordinates of a rank.
    ///
    /// - Precondition: the rank is one of the layout.
    public func place(ofRank rank: Int) -> Place {
        require((0..<rankCount).contains(rank), "ParallelLayout: rank \(rank) is not one of \(rankCount)")
        let column = rank / shards
        let row = column / directions
        return Place(
            replica: row / stages, stage: row % stages, direction: column % directions, shard: rank % shards)
    }

    /// The rank at some coordinates.
    public func rank(at place: Place) -> Int {
        ((place.replica * stages + place.stage) * directions + place.direction) * shards + place.shard
    }

    /// Throws unless there are as many ranks as the layout needs.
    ///
    /// - Throws: `CommError` of kind `invalid` with the number of ranks to start.
    public func check(ranks: Int) throws(CommError) {
        guard rankCount == ranks else {
            throw CommError(
                .invalid,
                "layout \(self) needs \(rankCount) rank\(rankCount == 1 ? "" : "s"), but there \(ranks == 1 ? "is" : "are") \(ranks); start as many as it needs."
            )
        }
    }
}
