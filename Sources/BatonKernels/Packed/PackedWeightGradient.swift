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
/// The right operands are packed once, panel by panel, rows leaf after leaf in chain order; then some strips of left columns
/// at a time are packed in the same order, through a list of row offsets, and meet all panels.
struct PackedWeightGradient {
    /// Rows (t, n) of an operand: where row n of a time begins and the distance to row n+1; nil is zero.
    typealias Rows = (_ time: Int, _ row: Int) -> (base: UnsafePointer<Float>, stride: Int)?

    /// Rows of the left operand: row (t, n) begins at `base + offset(t, n)`.
    struct Left {
        var base: UnsafePointer<Float>
        var offset: (_ time: Int, _ row: Int) -> Int
    }

    /// A product with one right operand: gradient row r of subtree s begins at `targets[s] + r·targetStride`.
    struct Right {
        var rows: Rows
        var columns: Int
        var targets: [UnsafeMutablePointer<Float>]
        var targetStride: Int
        /// Whether the rows of time 0 are zero. They end the chains, which do without them.
        var lacksFirstTime = false
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
        /// Vectors (one per subtree) that receive its column sums.
        var biases: [[UnsafeMutablePointer<Float>]]
    }

    private let table: KernelTable
    private let steps: Int
    private let leaves: LeafPlan
    private let buffers: WeightGradientBuffers
    private let lanes: Int
    private let lengths: SequenceLengths?
    private let continuesChains: Bool
    /// Rows (t, n) of the leaves, and of those but for the ones of time 0.
    private let depths: LeafDepths
    private let laterDepths: LeafDepths

    /// Rows of every leaf, and of all leaves before it.
    private struct LeafDepths {
        let depths: [Int]
        let before: [Int]
        var total: Int { before[depths.count] }

        init(_ depths: [Int]) {
            self.depths = depths
            before = depths.reduce(into: [0]) { sums, depth in sums.append((sums.last ?? 0) + depth) }
        }
    }

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
        self.steps = steps
        self.lengths = lengths
        self.leaves = leaves
        self.buffers = buffers
        lanes = table.laneCount
        func depths(from time: Int) -> LeafDepths {
            LeafDepths(
                leaves.leaves.map { leaf in
                    lengths.map { lengths in leaf.reduce(0) { $0 + max(0, lengths.lengths[$1] - time) } }
                        ?? leaf.count * max(0, steps - time)
                })
        }
        (self.depths, laterDepths) = (depths(from: 0), depths(from: 1))
    }

    /// Rows that a right operand has.
    private func depths(of right: Right) -> LeafDepths { right.lacksFirstTime ? laterDepths : depths }

    /// Calls `body` with the rows of a leaf in chain order, adjoining rows of one time together; with lengths every row
    /// by itself, because neighbours lie apart in the workspace.
    private func forEachRun(_ leaf: Range<Int>, _ body: (_ time: Int, _ rows: Range<Int>) -> Void) {
        for time in (0..<steps).reversed() {
            guard let lengths else {
                body(time, leaf)
                continue
            }
            for row in leaf where lengths.lengths[row] > time { body(time, row..<row + 1) }
        }
    }

    func accumulate(left: Left, strips: [LeftStrip], rights: [Right], hook: StepHook) {
        guard depths.total > 0 else { return }
        let offsets = rowOffsets(left)
        // Chains, and partial sums of up to 2¹⁵ leaves.
        let scratch = buffers.scratch.reserve(17 * Self.groupStrips * lanes * 4 * lanes)
        let packed = buffers.left.reserve(
            leaves.subtrees.reduce(0) { max($0, rows(of: $1)) } * Self.groupStrips * lanes)
        let panels = packRights(rights, allMeet: strips.allSatisfy { $0.rights.count == rights.count })
        (depths.depths + laterDepths.depths).withUnsafeBufferPointer { allDepths in
            offsets.withUnsafeBufferPointer { offsets in
                guard let depths = allDepths.baseAddress, let offsets = offsets.baseAddress else { return }
                for group in neighbours(strips) {
                    let first = strips[group.lowerBound]
                    let columns = strips[group].reduce(0) { $0 + $1.columns }
                    for (index, subtree) in leaves.subtrees.enumerated() {
                        let rowsBefore = self.depths.before[subtree.lowerBound]
                        func block(_ column: Int, _ count: Int) -> SubtreeColumns {
                            SubtreeColumns(
                                source: left.base + column, offsets: offsets + rowsBefore, count: count,
                                leafDepths: depths + subtree.lowerBound, leafCount: subtree.count)
                        }
                        table.packColumns(ColumnPackArguments(columns: block(first.column, columns), target: packed))
                        addBiases(strips[group], subtree: index, block)
                        for panel in panels where first.rights.contains(panel.right) {
                            let right = rights[panel.right]
                            let rightRowsBefore = self.depths(of: right).before[subtree.lowerBound]
                            withTarget(of: panel, rights, subtree: index, rows: columns, from: first.gradientRow) {
                                table.outerProduct(
                                    OuterProductArguments(
                                        left: UnsafePointer(packed), leftColumns: columns,
                                        right: UnsafePointer(
                                            buffers.right.base + panel.offset + rightRowsBefore * panel.strips * lanes),
                                        rightStrips: panel.strips, rightColumns: $2,
                                        leafDepths: depths + subtree.lowerBound,
                                        rightDepths: depths + subtree.lowerBound
                                            + (right.lacksFirstTime ? self.depths.depths.count : 0),
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
        of panel: Panel, _ rights: [Right], subtree: Int, rows: Int, from firstRow: Int,
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
    private func rows(of subtree: Range<Int>) -> Int {
        depths.before[subtree.upperBound] - depths.before[subtree.lowerBound]
    }

    /// Adds the column sums of a group of strips, which packing has brought into the cache, four strips at a time.
    private func addBiases(
        _ strips: ArraySlice<LeftStrip>, subtree: Int,
        _ block: (_ column: Int, _ count: Int) -> SubtreeColumns
    ) {
        for start in stride(from: strips.startIndex, to: strips.endIndex, by: 4) {
            let columns = strips[start..<min(start + 4, strips.endIndex)].reduce(0) { $0 + $1.columns }
            for bias in strips[start].biases {
                table.columnSum(
                    ColumnSumArguments(
                        columns: block(strips[start].column, columns),
                        target: bias[subtree] + strips[start].gradientRow, continuesChain: continuesChains))
            }
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
        offsets.reserveCapacity(depths.total)
        for leaf in leaves.leaves {
            forEachRun(leaf) { time, rows in
                for row in rows { offsets.append(left.offset(time, row)) }
            }
        }
        return offsets
    }

    private struct Panel {
        var right: Int
        var firstColumn: Int
        var columns: Int
        var strips: Int
        var offset: Int
        /// The last columns of another right operand, where the own ones do not fill the last vector.
        var guest: Guest?
    }

    private struct Guest {
        var right: Int
        var firstColumn: Int
        var columns: Int
    }

    /// The last columns of the second of two right operands, if they find room beside the last ones of the first.
    private func guest(_ rights: [Right]) -> Guest? {
        guard rights.count == 2, !rights[0].lacksFirstTime else { return nil }
        let rests = rights.map { $0.columns % lanes }
        guard rests[0] > 0, rests[1] > 0, rests[0] + rests[1] <= lanes else { return nil }
        return Guest(right: 1, firstColumn: rights[1].columns - rests[1], columns: rests[1])
    }

    /// - Parameter allMeet: whether all strips meet all right operands, which then may share a panel.
    private func packRights(_ rights: [Right], allMeet: Bool) -> [Panel] {
        let guest = allMeet ? guest(rights) : nil
        var panels: [Panel] = []
        var offset = 0
        for (index, right) in rights.enumerated() {
            let end = guest?.right == index ? guest?.firstColumn ?? 0 : right.columns
            var firstColumn = 0
            for strips in PanelPacking.balancedPanels((end + lanes - 1) / lanes) {
                let columns = min(strips * lanes, end - firstColumn)
                panels.append(
                    Panel(right: index, firstColumn: firstColumn, columns: columns, strips: strips, offset: offset))
                firstColumn += columns
                offset += depths(of: right).total * strips * lanes
            }
            if guest != nil && index == 0 { panels[panels.count - 1].guest = guest }
        }
        let base = buffers.right.reserve(offset)
        for panel in panels {
            pack(
                rights[panel.right], firstColumn: panel.firstColumn, columns: panel.columns,
                width: panel.strips * lanes, into: base + panel.offset)
            if let guest = panel.guest {
                pack(
                    guest, of: rights[guest.right], besides: panel.columns, width: panel.strips * lanes,
                    into: base + panel.offset)
            }
        }
        return panels
    }

    /// Copies the guest's columns of all rows behind those that a panel holds already.
    private func pack(
        _ guest: Guest, of right: Right, besides column: Int, width: Int, into target: UnsafeMutablePointer<Float>
    ) {
        var out = target + column
        for leaf in leaves.leaves {
            forEachRun(leaf) { time, run in
                let source = right.rows(time, run.lowerBound)
                for row in 0..<run.count {
                    if let source {
                        out.update(from: source.base + row * source.stride + guest.firstColumn, count: guest.columns)
                    }
                    out += width
                }
            }
        }
    }

    /// Copies columns of all rows in leaf and chain order, padded with zeros to `width`.
    private func pack(
        _ right: Right, firstColumn: Int, columns: Int, width: Int, into target: UnsafeMutablePointer<Float>
    ) {
        var out = target
        for leaf in leaves.leaves {
            forEachRun(leaf) { time, run in
                if time == 0 && right.lacksFirstTime { return }
                let target = out
                out += run.count * width
                guard let source = right.rows(time, run.lowerBound) else {
                    target.update(repeating: 0, count: run.count * width)
                    return
                }
                table.packRows(
                    RowPackArguments(
                        source: source.base + firstColumn, stride: source.stride, rows: run.count, columns: columns,
                        width: width, target: target))
            }
        }
    }
}
