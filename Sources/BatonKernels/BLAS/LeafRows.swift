/// Where the rows of a batch of unequal lengths stand in a BLAS workspace: leaf after leaf, inside a leaf by
/// descending length, so that those taking part at a time are the first ones of every leaf. What a product computes
/// then depends on the lengths of its own leaf alone.
struct LeafRows {
    let lengths: SequenceLengths
    /// The row at a position, and the position of a row.
    let order: [Int]
    let positions: [Int]
    /// Positions that take part, by time and leaf.
    private let active: [[Range<Int>]]

    init(_ lengths: SequenceLengths, _ plan: LeafPlan) {
        self.lengths = lengths
        order = plan.leaves.flatMap { SequenceLengths.descending(Array($0), lengths.lengths) }
        var positions = order
        for (position, row) in order.enumerated() { positions[row] = position }
        self.positions = positions
        active = (0..<lengths.steps).map { time in
            plan.leaves.map { leaf in
                leaf.lowerBound..<leaf.lowerBound + leaf.count { lengths.lengths[$0] > time }
            }
        }
    }

    /// Positions that take part at a time, by leaf.
    func active(at time: Int) -> [Range<Int>] { active[time] }
}
