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

    /// Adds the products of some strips of left columns with the right operands. The hook is called after every panel, and
    /// hears of gradient rows that are complete.
    func accumulate(left: Left, strips: [LeftStrip], rights: [Right], hook: StepHook) {
        guard rows.all.total > 0, !strips.isEmpty else { return }
        let right = RightPanels(
            rights, rows, allMeet: strips.allSatisfy { $0.rights.count == rights.count }, table: table,
            memory: buffers.right)
        withChains(of: left) { chains in
            for group in groups(of: strips) {
                for subtree in leaves.subtrees.indices {
                    let packed = pack(group, subtree, chains)
                    for panel in right.panels where group.first.rights.contains(panel.right) {
                        multiply(packed, by: panel, of: right, chains)
                        hook()
                    }
                }
                announce(group, rights, hook)
            }
        }
    }

    /// Where the rows of the left operand are, in the order of the chains.
    private struct LeftChains {
        let base: UnsafePointer<Float>
        let offsets: UnsafePointer<Int>
        /// Rows of every leaf, and those that operands without the first time have.
        let depths: UnsafePointer<Int>
        let laterDepths: UnsafePointer<Int>
    }

    private func withChains(of left: Left, _ body: (LeftChains) -> Void) {
        (rows.all.depths + rows.later.depths).withUnsafeBufferPointer { depths in
            rowOffsets(left).withUnsafeBufferPointer { offsets in
                guard let depths = depths.baseAddress, let offsets = offsets.baseAddress else { return }
                body(
                    LeftChains(
                        base: left.base, offsets: offsets, depths: depths, laterDepths: depths + leaves.leaves.count))
            }
        }
    }

    /// Columns of the rows of a subtree.
    private func columns(_ first: Int, _ count: Int, _ subtree: Int, _ chains: LeftChains) -> SubtreeColumns {
        let range = leaves.subtrees[subtree]
        return SubtreeColumns(
            source: chains.base + first, offsets: chains.offsets + rows.all.before[range.lowerBound], count: count,
            leafDepths: chains.depths + range.lowerBound, leafCount: range.count)
    }

    /// Packs the left columns of a group, and adds their sums to the biases while the first-level cache has them.
    private func pack(_ group: StripGroup, _ subtree: Int, _ chains: LeftChains) -> PackedGroup {
        let mostRows = leaves.subtrees.reduce(0) { max($0, count($1)) }
        let packed = buffers.left.reserve(mostRows * Self.groupStrips * lanes)
        table.packLeftTiles(
            LeftTilePackArguments(
                columns: columns(group.first.column, group.columns, subtree, chains), target: packed))
        addBiases(group.strips, subtree, chains)
        return PackedGroup(group: group, subtree: subtree, columns: UnsafePointer(packed))
    }

    /// Adds the product of a group's columns with a panel.
    private func multiply(
        _ packed: PackedGroup, by panel: RightPanels.Panel, of right: RightPanels, _ chains: LeftChains
    ) {
        let range = leaves.subtrees[packed.subtree]
        let lacksFirst = right.rights[panel.right].lacksFirstTime
        let rowsBefore = (lacksFirst ? rows.later : rows.all).before[range.lowerBound]
        withTarget(of: panel, right.rights, packed) { target, targetStride, columns in
            table.outerProduct(
                OuterProductArguments(
                    left: packed.columns, leftColumns: packed.group.columns,
                    right: UnsafePointer(right.base + panel.offset + rowsBefore * panel.strips * lanes),
                    rightStrips: panel.strips, rightColumns: columns, leafDepths: chains.depths + range.lowerBound,
                    rightDepths: (lacksFirst ? chains.laterDepths : chains.depths) + range.lowerBound,
                    leafCount: range.count, target: target, targetStride: targetStride, scratch: scratch,
                    continuesChain: continuesChains))
        }
    }

    /// Calls `body` with the place of the gradient's columns that a panel makes, the distance between its rows and the number
    /// of columns: columns of two gradients are side by side only in memory of their own, from where they come and go.
    private func withTarget(
        of panel: RightPanels.Panel, _ rights: [Right], _ packed: PackedGroup,
        _ body: (_ target: UnsafeMutablePointer<Float>, _ stride: Int, _ columns: Int) -> Void
    ) {
        let rows = packed.group.columns
        func target(_ right: Right, _ column: Int) -> UnsafeMutablePointer<Float> {
            right.targets[packed.subtree] + packed.group.first.gradientRow * right.columns + column
        }
        let own = (place: target(rights[panel.right], panel.firstColumn), stride: rights[panel.right].columns)
        guard let guest = panel.guest else { return body(own.place, own.stride, panel.columns) }
        let other = (place: target(rights[guest.right], guest.firstColumn), stride: rights[guest.right].columns)
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
    private func announce(_ group: StripGroup, _ rights: [Right], _ hook: StepHook) {
        if continuesChains { return }
        for right in group.first.rights.lazy.map({ rights[$0] }) {
            hook.finished(
                right.targets[0] + group.first.gradientRow * right.columns,
                byteCount: group.columns * right.columns * MemoryLayout<Float>.stride)
        }
    }

    /// For chains, and the partial sums of the tree.
    private var scratch: UnsafeMutablePointer<Float> {
        buffers.scratch.reserve(Self.blocks * Self.groupStrips * lanes * 4 * lanes)
    }

    /// Rows (t, n) of a subtree.
    private func count(_ subtree: Range<Int>) -> Int {
        rows.all.before[subtree.upperBound] - rows.all.before[subtree.lowerBound]
    }

    /// Adds the column sums of some strips, four strips at a time.
    private func addBiases(_ strips: ArraySlice<LeftStrip>, _ subtree: Int, _ chains: LeftChains) {
        for start in stride(from: strips.startIndex, to: strips.endIndex, by: 4) {
            let count = strips[start..<min(start + 4, strips.endIndex)].reduce(0) { $0 + $1.columns }
            let (biases, row) = (strips[start].biases, strips[start].gradientRow)
            guard let first = biases.first else { continue }
            require(biases.count <= 2, "PackedWeightGradient: \(biases.count) vectors for one column sum, at most 2")
            table.columnSum(
                ColumnSumArguments(
                    columns: columns(strips[start].column, count, subtree, chains),
                    target: first[subtree] + row, secondTarget: biases.count > 1 ? biases[1][subtree] + row : nil,
                    continuesChain: continuesChains, scratch: scratch))
        }
    }

    /// Adjoining strips that contribute to the same.
    private struct StripGroup {
        let first: LeftStrip
        let strips: ArraySlice<LeftStrip>
        let columns: Int

        init(_ strips: ArraySlice<LeftStrip>) {
            first = strips[strips.startIndex]
            self.strips = strips
            columns = strips.reduce(0) { $0 + $1.columns }
        }
    }

    /// The columns of a group in the rows of a subtree, packed.
    private struct PackedGroup {
        let group: StripGroup
        let subtree: Int
        let columns: UnsafePointer<Float>
    }

    /// Strips of left columns that meet the right operands together: the more, the less often these come from memory, but
    /// the second-level cache should keep what is packed of the left ones.
    static let groupStrips = 6
    /// Blocks it works in: one of chains, one of partial sums for each size of a subtree.
    static let blocks = 1 + SubtreeColumns.levels

    /// Strips that adjoin and contribute to the same, in groups of much the same size: each reads all that is on the right.
    private func groups(of strips: [LeftStrip]) -> [StripGroup] {
        var groups: [StripGroup] = []
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
            for part in 0..<count {
                let range = start + (end - start) * part / count..<start + (end - start) * (part + 1) / count
                groups.append(StripGroup(strips[range]))
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
