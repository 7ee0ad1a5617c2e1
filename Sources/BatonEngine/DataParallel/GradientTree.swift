import BatonChecks
public import BatonComm
internal import BatonKernels
public import BatonTensor

/// The sum of gradients over all leaves of the global batch, the same bits for any number of ranks.
///
/// The batch has L leaves (a power of two); rank r of P holds leaves r·L/P ..< (r+1)·L/P, perhaps none, and for each
/// maximal aligned subtree of its range (`LeafPlan.alignedSubtrees`), ascending, one arena (a flat array of E elements)
/// with the subtree's partial sum. The total is the binary tree over the leaves, each node = left + right.
///
/// Per step: `start(bucket:)` as soon as the elements of a bucket are final on this rank, `poll` now and then while
/// computing (messages move only inside calls; hand `hook` to the kernels), `finish` at the
/// end. Then arena 0 holds the total of all elements on every rank; the other arenas hold nothing useful.
///
/// Each bucket is cut into P slices; rank s adds slice s. With P = 2 that is: exchange halves, add, exchange halves.
/// Per rank and step, (number of its partial sums + 1)·(P−1)/P·E elements leave and about as many arrive. All buffers
/// are allocated by the initialiser. Source of the scheme: Rabenseifner 2004, doi:10.1007/978-3-540-24685-5_1, with the
/// ranks' tree replaced by the leaves' tree.
public final class GradientTree<Scalar: DifferentiableScalar>: PolledReduction {
    /// The message tags on the communicator that belong to this object.
    public let tags: Range<Int>
    private let communicator: any Communicator
    private var exchanges: [BucketExchange<Scalar>]
    private let owners: [AnyObject]
    private let landing: UnsafeMutablePointer<Scalar>
    private var isStarted: [Bool]
    /// Buckets under way, in the order they were started.
    private var underWay: [Int] = []
    /// When `poll` has looked at the transfers.
    private var lastPoll: ContinuousClock.Instant?

    /// Number of arenas rank `rank` of `size` needs: one per partial sum, and one for the total in any case.
    public static func arenaCount(leafCount: Int, rank: Int, size: Int) -> Int {
        max(1, LeafPlan.alignedSubtrees(LeafPlan.leaves(ofRank: rank, of: size, leafCount: leafCount)).count)
    }

    /// Prepares the exchange; sends nothing, and is not collective.
    ///
    /// - Parameters:
    ///   - arenas: First elements of `arenaCount` arenas, which must outlive this object and stay in place. On a rank
    ///     without leaves the one arena is only written.
    ///   - buckets: Element ranges of the arena, disjoint, the same on all ranks. Elements in none are left alone.
    ///   - leafCount: L.
    ///   - communicator: The ranks of the sum.
    ///   - owners: Objects the arenas belong to, kept alive as long as this one.
    ///   - firstTag: First of the tags that belong to this object on `communicator`; see `tags`.
    public init(
        arenas: [UnsafeMutablePointer<Scalar>], buckets: [Range<Int>], leafCount: Int,
        communicator: any Communicator, owners: [AnyObject] = [], firstTag: Int = 0
    ) {
        let (rank, size) = (communicator.rank, communicator.size)
        let needed = GradientTree.arenaCount(leafCount: leafCount, rank: rank, size: size)
        require(
            arenas.count == needed,
            "GradientTree: rank \(rank) of \(size) with \(leafCount) leaves needs \(needed) arenas, got \(arenas.count)"
        )
        let sorted = buckets.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
        require(
            zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }
                && (sorted.first?.lowerBound ?? 0) >= 0, "GradientTree: the buckets \(buckets) overlap or begin below 0"
        )
        let plan = TreeSumPlan(leafCount: leafCount, size: size)
        let tagCount = (plan.nodes.map { $0.arena + 1 }.max() ?? 1) + 1
        require(
            firstTag >= 0 && firstTag + tagCount * buckets.count <= MessageTag.userRange.upperBound,
            "GradientTree: \(buckets.count) buckets need more tags than there are")
        tags = firstTag..<firstTag + tagCount * buckets.count

        let foreign = plan.nodes.filter { $0.rank != rank }.count
        // Each bucket's landing place begins on a cache line of its own.
        let landingCounts = buckets.map { bucket in
            (foreign * BucketExchange<Scalar>.slices(of: bucket, count: size)[rank].count + 15) / 16 * 16
        }
        let total = max(1, landingCounts.reduce(0, +))
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: total * MemoryLayout<Scalar>.stride, alignment: 64)
        landing = memory.bindMemory(to: Scalar.self, capacity: total)
        landing.initialize(repeating: 0, count: total)

        let setting = BucketExchange<Scalar>.Setting(plan: plan, arenas: arenas, communicator: communicator)
        var exchanges: [BucketExchange<Scalar>] = []
        var offset = 0
        for (number, bucket) in buckets.enumerated() {
            let tag = firstTag + tagCount * number
            exchanges.append(
                BucketExchange(setting, bucket: bucket, landing: landing + offset, tags: tag..<tag + tagCount))
            offset += landingCounts[number]
        }
        self.exchanges = exchanges
        self.communicator = communicator
        self.owners = owners
        isStarted = Array(repeating: false, count: buckets.count)
        underWay.reserveCapacity(buckets.count)
        super.init()
    }

    /// The same for gradients in flat tensors, which are kept alive.
    public convenience init(
        _ gradients: [Tensor], buckets: [Range<Int>], leafCount: Int, communicator: any Communicator, firstTag: Int = 0
    ) {
        self.init(
            arenas: gradients.map { $0.pointer(of: Scalar.self) }, buckets: buckets, leafCount: leafCount,
            communicator: communicator, owners: gradients.map(\.storage), firstTag: firstTag)
    }

    deinit {
        // Transfers that are still under way let go of the memory before it is gone.
        exchanges = []
        landing.deallocate()
        withExtendedLifetime(owners) {}
    }

    /// Says that the bucket's elements are final in all arenas of this rank, and starts its exchange. Every rank must
    /// start every bucket once per step, in any order and at any time before `finish`; ranks without leaves too.
    ///
    /// From now on until `finish` the bucket's elements must not be touched.
    ///
    /// - Throws: `CommError` of this or an earlier poll.
    /// - Precondition: the bucket has not been started in this step.
    public func start(bucket: Int) throws(CommError) {
        require(!isStarted[bucket], "GradientTree: bucket \(bucket) was started twice in one step")
        try throwHookFailure()
        isStarted[bucket] = true
        guard communicator.size > 1 else { return }
        try exchanges[bucket].start()
        underWay.append(bucket)
        noteTransfers()
        try advance(atMost: Self.looksAt)
    }

    /// Sums all buckets, which are final on this rank, and waits. Collective.
    ///
    /// - Throws: as `finish`.
    public func sum() throws(CommError) {
        for bucket in isStarted.indices { try start(bucket: bucket) }
        try finish()
    }

    /// Moves the exchanges on, without waiting; does nothing if it has just done so.
    ///
    /// A look at a transfer under way costs a microsecond over TCP, and kernels call between tiles that take some tens of
    /// them. So they are looked at every fifth of a millisecond, in which 10 Gbit/s bring less than what sockets hold,
    /// and of many only the oldest: those that were started first are the first to arrive, and all move in every look.
    public override func poll() throws(CommError) {
        guard !underWay.isEmpty else { return }
        let now = ContinuousClock.now
        if let lastPoll, now - lastPoll < Self.pollInterval { return }
        lastPoll = now
        try advance(atMost: Self.looksAt)
    }

    private static var pollInterval: Duration { .microseconds(200) }
    private static var looksAt: Int { 3 }

    private func advance(atMost count: Int) throws(CommError) {
        guard !underWay.isEmpty else { return }
        let looked = min(count, underWay.count)
        var kept = 0
        for place in 0..<looked {
            if try exchanges[underWay[place]].advance() { continue }
            underWay[kept] = underWay[place]
            kept += 1
        }
        underWay.removeSubrange(kept..<looked)
        noteTransfers()
    }

    private func noteTransfers() {
        if trace != nil { busy.note(isBusy: !underWay.isEmpty, .sums, .gradients, in: trace) }
    }

    /// Waits until all buckets hold the total in arena 0, and makes ready for the next step.
    ///
    /// - Parameter limit: Longest wait; the communicator's `waitLimit` if nil.
    /// - Throws: `CommError`, of kind `timeout` naming bucket and peer when the limit passes, or the transport's.
    /// - Precondition: All buckets have been started.
    public func finish(limit: Duration? = nil) throws(CommError) {
        if let missing = isStarted.firstIndex(of: false) {
            fatalError("GradientTree: bucket \(missing) was not started before finish")
        }
        let limit = limit ?? communicator.waitLimit
        try throwHookFailure()
        var waiting = communicator.waitPolicy.begin()
        // All, because ranks may have started them in different orders.
        try advance(atMost: Int.max)
        while let first = underWay.first {
            if waiting.exceeds(limit) {
                throw .timeout(
                    "sum of gradient bucket \(first) of \(exchanges.count): \(exchanges[first].purpose)", since: limit)
            }
            try advance(atMost: Int.max)
        }
        for bucket in isStarted.indices { isStarted[bucket] = false }
    }
}
