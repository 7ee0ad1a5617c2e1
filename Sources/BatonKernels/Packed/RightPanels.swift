import BatonKernelABI

/// The right operands of a weight gradient in packed panels, rows in chain order.
struct RightPanels {
    /// A product with one right operand: gradient row r of subtree s begins at `targets[s] + r·columns`.
    struct Right {
        /// The rows of a time, from one on; nil is zero.
        var rows: (_ time: Int, _ row: Int) -> StridedRows?
        var columns: Int
        var targets: [UnsafeMutablePointer<Float>]
        /// Whether the rows of time 0 are zero. They end the chains, which do without them.
        var lacksFirstTime = false
    }

    /// Adjoining columns of one right operand, and perhaps the last ones of another.
    struct Panel {
        var right: Int
        var firstColumn: Int
        var columns: Int
        var strips: Int
        var offset: Int
        /// The last columns of another right operand, where the own ones do not fill the last vector.
        var guest: Guest?
    }

    struct Guest {
        var right: Int
        var firstColumn: Int
        var columns: Int
    }

    let rights: [Right]
    let panels: [Panel]
    let base: UnsafeMutablePointer<Float>

    /// Packs all of them.
    ///
    /// - Parameter allMeet: whether every left column meets every right operand: then two of them may share a panel.
    init(
        _ rights: [Right], _ rows: ChainRows, allMeet: Bool, table: KernelTable, memory: AlignedBuffer
    ) {
        self.rights = rights
        let lanes = table.laneCount
        let guest = allMeet ? Self.guest(rights, lanes: lanes) : nil
        var panels: [Panel] = []
        var offset = 0
        for (index, right) in rights.enumerated() {
            let end = guest?.right == index ? guest?.firstColumn ?? 0 : right.columns
            var firstColumn = 0
            for strips in PanelDivision.balancedPanels((end + lanes - 1) / lanes) {
                let columns = min(strips * lanes, end - firstColumn)
                panels.append(
                    Panel(right: index, firstColumn: firstColumn, columns: columns, strips: strips, offset: offset))
                firstColumn += columns
                offset += (right.lacksFirstTime ? rows.later : rows.all).total * strips * lanes
            }
            if guest != nil && index == 0 { panels[panels.count - 1].guest = guest }
        }
        self.panels = panels
        base = memory.reserve(offset)
        for (index, right) in rights.enumerated() {
            let own = panels.filter { $0.right == index }
            let shared = panels.first { $0.guest?.right == index }
            pack(right, own, shared, rows, table)
        }
    }

    /// The last columns of the second of two right operands, if they find room beside the last ones of the first.
    private static func guest(_ rights: [Right], lanes: Int) -> Guest? {
        guard rights.count == 2, !rights[0].lacksFirstTime else { return nil }
        let rests = rights.map { $0.columns % lanes }
        guard rests[0] > 0, rests[1] > 0, rests[0] + rests[1] <= lanes else { return nil }
        return Guest(right: 1, firstColumn: rights[1].columns - rests[1], columns: rests[1])
    }

    /// Copies the rows of an operand to its panels, padded with zeros to whole vectors, and, after their owner's, to the one
    /// where it is a guest. All panels take a row before the next one is read: a panel's part of it is too short for the
    /// prefetchers.
    private func pack(_ right: Right, _ own: [Panel], _ shared: Panel?, _ rows: ChainRows, _ table: KernelTable) {
        let lanes = table.laneCount
        var done = (own: 0, shared: 0)
        rows.forEachRun { time, run in
            defer { done.shared += run.count }
            if time == 0 && right.lacksFirstTime { return }
            defer { done.own += run.count }
            let source = right.rows(time, run.lowerBound)
            for panel in own {
                let width = panel.strips * lanes
                let target = base + panel.offset + done.own * width
                if let source {
                    table.packRows(
                        RowPackArguments(
                            source: source.base + panel.firstColumn, stride: source.stride, rows: run.count,
                            columns: panel.columns, width: width, target: target))
                } else {
                    target.update(repeating: 0, count: run.count * width)
                }
            }
            if let shared, let guest = shared.guest, let source {
                let width = shared.strips * lanes
                for row in 0..<run.count {
                    (base + shared.offset + (done.shared + row) * width + shared.columns).update(
                        from: source.row(row) + guest.firstColumn, count: guest.columns)
                }
            }
        }
    }
}
