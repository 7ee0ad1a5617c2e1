import BatonChecks
import BatonKernelABI

/// Memory of a weight gradient, kept between steps.
final class WeightGradientBuffers {
    let left = AlignedBuffer()
    let right = AlignedBuffer()
    /// Gradient columns that two right operands have in one panel.
    let joined = AlignedBuffer()
    let scratch = AlignedBuffer()
}

/// dW += leftᵀ·right over a window of rows (t, n), summed by leaves (see `LeafPlan`), on the lane kernels.
///
/// The right operands are packed once (see `RightPanels`); then some strips of left columns at a time are packed in the same
/// order of rows, through a list of their offsets, and meet all panels.
struct PackedWeightGradient {
    typealias Right = RightPanels.Right

    /// Rows of the left operand: row (t, n) begins at `base + offset(t, n)`.
    struct Left {
        var base: UnsafePointer<Float>
        var offset: (_ time: Int, _ row: Int) -> Int
    }

    /// A strip of left columns, and what it contributes to.
    struct LeftStrip {
        /// First column in the left rows.
        var column: Int
        /// Columns that exist, ≤ lanes.
        var columns: Int
        /// First row of the gradient.
        var gradientRow: Int
        /// Indices of the right operands it meets.
        var rights: [Int]
        /// Vectors (one per subtree) that receive its column sums, at most two.
        var biases: [[UnsafeMutablePointer<Float>]]
    }

    private let table: KernelTable
    private let rows: ChainRows
    private let buffers: WeightGradientBuffers
    private let continuesChains: Bool
    private var lanes: Int { table.laneCount }
    private var leaves: LeafPlan { rows.leaves }

    /// `lengths` leaves out the rows that take no part. `continuesChains`: the destination of a subtree, of one leaf then,
    /// holds the chain so far.
    init(
        table: KernelTable, steps: Int, lengths: SequenceLengths? = nil, leaves: LeafPlan,
        buffers: WeightGradientBuffers, continuesChains: Bool = false
    ) {
        require(
            !continuesChains || leaves.subtrees.allSatisfy { $0.count == 1 },
            "PackedWeightGradient: only chains of single leaves can be continued, got subtrees \(leaves.subtrees)")
        self.continuesChains = continuesChains
        self.table = table
        self.buffers = buffers
        rows = ChainRows(steps: steps, lengths: lengths, leaves: leaves)
    }

    func accumulate(left: Left, strips: [LeftStrip], rights: [Right], hook: StepHook) {
        guard rows.all.total > 0 else { return }
        let offsets = rowOffsets(left)
        // Chains, and partial sums of up to 2¹⁵ leaves.
        let scratch = buffers.scratch.reserve(17 * Self.groupStrips * lanes * 4 * lanes)
        let packed = buffers.left.reserve(
            leaves.subtrees.reduce(0) { max($0, count($1)) } * Self.groupStrips * lanes)
        let right = RightPanels(
            rights, rows, allMeet: strips.allSatisfy { $0.rights.count == rights.count }, table: table,
            memory: buffers.right)
        (rows.all.depths + rows.later.depths).withUnsafeBufferPointer { allDepths in
            offsets.withUnsafeBufferPointer { offsets in
                guard let depths = allDepths.baseAddress, let offsets = offsets.baseAddress else { return }
                for group in neighbours(strips) {
                    let first = strips[group.lowerBound]
                    let columns = strips[group].reduce(0) { $0 + $1.columns }
                    for (index, subtree) in leaves.subtrees.enumerated() {
                        let rowsBefore = rows.all.before[subtree.lowerBound]
                        func block(_ column: Int, _ count: Int) -> SubtreeColumns {
                            SubtreeColumns(
                                source: left.base + column, offsets: offsets + rowsBefore, count: count,
                                leafDepths: depths + subtree.lowerBound, leafCount: subtree.count)
                        }
                        table.packColumns(ColumnPackArguments(columns: block(first.column, columns), target: packed))
                        addBiases(strips[group], subtree: index, block)
                        for panel in right.panels where first.rights.contains(panel.right) {
                            let lacksFirst = rights[panel.right].lacksFirstTime
                            let rightRowsBefore = (lacksFirst ? rows.later : rows.all).before[subtree.lowerBound]
                            withTarget(of: panel, rights, subtree: index, rows: columns, from: first.gradientRow) {
                                table.outerProduct(
                                    OuterProductArguments(
                                        left: UnsafePointer(packed), leftColumns: columns,
                                        right: UnsafePointer(
                                            right.base + panel.offset + rightRowsBefore * panel.strips * lanes),
                                        rightStrips: panel.strips, rightColumns: $2,
                                        leafDepths: depths + subtree.lowerBound,
                                        rightDepths: depths + subtree.lowerBound
                                            + (lacksFirst ? leaves.leaves.count : 0),
                                        leafCount: subtree.count, target: $0, targetStride: $1, scratch: scratch,
                                        continuesChain: continuesChains))
                            }
                            hook()
                        }
                    }
                    announce(first.gradientRow, columns, of: first.rights.map { rights[$0] }, hook)
                }
            }
        }
    }

    /// Calls `body` with the place of the gradient's columns that a panel makes, the distance between its rows and the number
    /// of columns: columns of two gradients are side by side only in memory of their own, from where they come and go.
    private func withTarget(
        of panel: RightPanels.Panel, _ rights: [Right], subtree: Int, rows: Int, from firstRow: Int,
        _ body: (_ target: UnsafeMutablePointer<Float>, _ stride: Int, _ columns: Int) -> Void
    ) {
        func target(_ right: Right, _ column: Int) -> UnsafeMutablePointer<Float> {
            right.targets[subtree] + firstRow * right.targetStride + column
        }
        let own = (place: target(rights[panel.right], panel.firstColumn), stride: rights[panel.right].targetStride)
        guard let guest = panel.guest else { return body(own.place, own.stride, panel.columns) }
        let other = (place: target(rights[guest.right], guest.firstColumn), stride: rights[guest.right].targetStride)
        let width = panel.columns + guest.columns
        let both = buffers.joined.reserve(rows * width)
        for row in 0..<rows {
            (both + row * width).update(from: own.place + row * own.stride, count: panel.columns)
            (both + row * width + panel.columns).update(from: other.place + row * other.stride, count: guest.columns)
        }
        body(both, width, width)
        for row in 0..<rows {
            (own.place + row * own.stride).update(from: both + row * width, count: panel.columns)
            (other.place + row * other.stride).update(from: both + row * width + panel.columns, count: guest.columns)
        }
    }

    /// Rows of the gradients that are complete in all subtrees. Chains that are continued have not ended.
    private func announce(_ firstRow: Int, _ rows: Int, of rights: [Right], _ hook: StepHook) {
        if continuesChains { return }
        for right in rights where right.columns == right.targetStride {
            hook.finished(
                right.targets[0] + firstRow * right.targetStride,
                byteCount: rows * right.targetStride * MemoryLayout<Float>.stride)
        }
    }

    /// Rows (t, n) of a subtree.
    private func count(_ subtree: Range<Int>) -> Int {
        rows.all.before[subtree.upperBound] - rows.all.before[subtree.lowerBound]
    }

    /// Adds the column sums of a group of strips, which packing has brought into the cache, four strips at a time.
    private func addBiases(
        _ strips: ArraySlice<LeftStrip>, subtree: Int,
        _ block: (_ column: Int, _ count: Int) -> SubtreeColumns
    ) {
        for start in stride(from: strips.startIndex, to: strips.endIndex, by: 4) {
            let columns = strips[start..<min(start + 4, strips.endIndex)].reduce(0) { $0 + $1.columns }
            let targets = strips[start].biases.map { $0[subtree] + strips[start].gradientRow }
            guard let target = targets.first else { continue }
            require(targets.count <= 2, "PackedWeightGradient: \(targets.count) vectors for one column sum, at most 2")
            table.columnSum(
                ColumnSumArguments(
                    columns: block(strips[start].column, columns), target: target,
                    secondTarget: targets.dropFirst().first, continuesChain: continuesChains))
        }
    }

    /// Strips of left columns that meet the right operands together: the more, the less often these come from memory, but
    /// the second-level cache should keep what is packed of the left ones.
    private static let groupStrips = 6

    /// Strips that adjoin and contribute to the same, in groups of much the same size: each reads all that is on the right.
    private func neighbours(_ strips: [LeftStrip]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var start = 0
        while start < strips.count {
            var end = start + 1
            while end < strips.count, strips[end].rights == strips[start].rights,
                strips[end].biases == strips[start].biases,
                strips[end].column == strips[end - 1].column + strips[end - 1].columns,
                strips[end].gradientRow == strips[end - 1].gradientRow + strips[end - 1].columns
            {
                end += 1
            }
            let count = (end - start + Self.groupStrips - 1) / Self.groupStrips
            groups += (0..<count).map {
                start + (end - start) * $0 / count..<start + (end - start) * ($0 + 1) / count
            }
            start = end
        }
        return groups
    }

    /// Offsets of all rows in leaf and chain order.
    private func rowOffsets(_ left: Left) -> [Int] {
        var offsets: [Int] = []
        offsets.reserveCapacity(rows.all.total)
        rows.forEachRun { time, run in
            for row in run { offsets.append(left.offset(time, row)) }
        }
        return offsets
    }
}
