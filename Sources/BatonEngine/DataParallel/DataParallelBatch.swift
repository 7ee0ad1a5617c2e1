import BatonChecks
public import BatonComm
public import BatonKernels
public import BatonNN
public import BatonTensor

/// Divides the batches of a model of one's own over ranks, and sums its gradients for a `Trainer`: losses, gradients and
/// updates have the bits of one rank.
///
///     let parallel = try DataParallelBatch(model, batchSize: 32, communicator: world)
///     let trainer = Trainer(try model.collectParams(), AdamRule(), combine: parallel.combine)
///     for step in 0..<steps {
///         let tape = Tape()
///         let context = parallel.begin(tape: tape, seed: 1, step: step)
///         let (x, label) = batch(step, rows: parallel.rows)   // this rank's rows of the batch
///         tape.backward(loss(model(x, context), label, context))
///         try trainer.step(batchSize: 32)
///     }
///
/// Clipping comes between the sum and the update: `trainer.combineGradients()`, then `clipGlobalNorm(trainer.gradients, …)`,
/// then `step`. Several backward passes after one `begin` add up, before the sum.
///
/// The batch is cut into leaves that know nothing of ranks (`LeafPlan`); a rank holds whole leaves. Gradients of one call
/// of one block are summed within a rank in the order of the fixed tree. Where several calls add to one parameter, as in
/// a model whose output layer has the embedding's weight, that order depends on where the leaves are, so each leaf keeps
/// a gradient of its own until all calls have added to it: that costs as many gradients as the rank has leaves.
///
/// Source: Gluon `Trainer` with a key-value store sums over workers in an order that depends on their number.
public final class DataParallelBatch {
    /// Rows of the global batch that this rank computes.
    public let rows: Range<Int>
    /// Leaves of these rows, for `ForwardContext`.
    public let leaves: LeafPlan
    private let arena: ParameterArena
    private let sum: () throws(CommError) -> Void
    /// Whether the gradients are sums already; another trainer of the same model may ask for them too.
    private var isSummed = false

    /// Moves the parameters of the model into memory that is summed at once. Not collective.
    ///
    /// - Parameters:
    ///   - model: its parameters have values and requirement `write` or `null`, and one element type.
    ///   - batchSize: rows of the whole batch, over all ranks.
    ///   - separatesLeaves: whether each leaf keeps its gradient. nil says yes if a parameter belongs to several blocks
    ///     or a block stands in several places; say yes as well for a model that calls one block several times.
    /// - Throws: `EngineError` for a parameter that cannot be summed or is in another arena, and for more ranks than the
    ///   batch has leaves.
    public init(
        _ model: Block, batchSize: Int, communicator: any Communicator, separatesLeaves: Bool? = nil
    ) throws(EngineError) {
        let leafCount = LeafPlan.leafCount(rows: batchSize)
        guard communicator.size <= leafCount else {
            throw EngineError(
                "\(communicator.size) ranks do not fit a batch of \(counted(batchSize, "row")), which has \(counted(leafCount, "leaf", "leaves")); use at most \(counted(leafCount, "rank")) or larger batches."
            )
        }
        let parameters = Array(model.collectParameters().reversed())
        for parameter in parameters where parameter.gradientRequirement != .null {
            guard parameter.isInitialized else {
                throw EngineError(
                    "\(parameter.name) has no values yet; initialise the model and give its input sizes, or run it once, before its batches are divided."
                )
            }
            guard !parameter.isInArena else {
                throw EngineError(
                    "\(parameter.name) is in the memory of another DataParallelBatch or trainer, which would sum nothing any more; use that one for all batches of the model."
                )
            }
            guard parameter.gradientRequirement == .write else {
                throw EngineError(
                    "\(parameter.name) adds up gradients over passes (requirement add), which the sum over ranks would count again; use write."
                )
            }
        }
        let share = RankShare(
            lanes: batchSize, leafCount: leafCount, rank: communicator.rank, size: communicator.size)
        rows = share.lanes
        let separates = separatesLeaves ?? Self.hasSharedParameters(model)
        leaves =
            separates
            ? LeafPlan(leaves: share.leaves.leaves, subtrees: share.leaves.leaves.indices.map { $0..<$0 + 1 })
            : share.leaves
        let mine = LeafPlan.leaves(ofRank: communicator.rank, of: communicator.size, leafCount: leafCount)
        let sums = SubtreeSums(parts: separates ? mine.map { $0..<$0 + 1 } : [mine])
        arena = ParameterArena(parameters, subtreeCount: sums.gradientCount)
        sum = Self.sum(
            arena.dtype.differentiable(for: "DataParallelBatch"), arena, sums, leafCount, communicator)
    }

    /// Whether the walk over the model meets a parameter twice.
    private static func hasSharedParameters(_ model: Block) -> Bool {
        var seen: Set<ObjectIdentifier> = []
        func meetsAgain(_ block: Block) -> Bool {
            block.parameters.contains { !seen.insert(ObjectIdentifier($0.parameter)).inserted }
                || block.children.contains { meetsAgain($0.block) }
        }
        return meetsAgain(model)
    }

    /// Adds the gradients of each subtree, then those of all ranks into the first.
    private static func sum<Scalar: DifferentiableScalar>(
        _: Scalar.Type, _ arena: ParameterArena, _ sums: SubtreeSums, _ leafCount: Int,
        _ communicator: any Communicator
    ) -> () throws(CommError) -> Void {
        let tree = GradientTree<Scalar>(
            sums.roots.map { arena.gradients[$0] }, buckets: GradientBuckets(arena).ranges, leafCount: leafCount,
            communicator: communicator)
        return { () throws(CommError) in
            sums.combine(arena, elements: 0..<arena.count)
            try tree.sum()
        }
    }

    /// Zeroes the gradients and makes the context of the next forward pass over `rows`. Not collective.
    ///
    /// - Parameters:
    ///   - seed: of the run; the same on all ranks.
    ///   - step: of the run; random masks are functions of seed, step and global row.
    public func begin(tape: Tape, seed: UInt64, step: Int) -> ForwardContext {
        arena.select(gradients: nil)
        arena.beginStep()
        isSummed = false
        return ForwardContext(
            tape: tape, isTraining: true, leaves: leaves,
            random: RandomKey(seed: seed, step: UInt32(step), firstRow: UInt32(rows.lowerBound)))
    }

    /// Sums the gradients over leaves and ranks; afterwards `Parameter.gradient` is the total, on every rank. To be
    /// handed to a `Trainer`, or to several that train parts of the model: the first of them sums, once after `begin`.
    /// Collective.
    ///
    /// - Parameter parameters: those of the trainer; all of the model are summed.
    /// - Throws: `CommError` of the transport.
    /// - Precondition: no backward pass came between the sum and this call; it would have added to sums.
    public func combine(_ parameters: [Parameter]) throws {
        if isSummed {
            if let late = arena.slots.first(where: \.parameter.awaitsCombining)?.parameter {
                fatalError(
                    "DataParallelBatch.combine: a backward pass reached \(late.name) after gradients were summed; call begin before it"
                )
            }
            return
        }
        try sum()
        arena.select(gradients: 0..<1)
        isSummed = true
        for slot in arena.slots { slot.parameter.hasCombinedGradient = true }
    }
}
