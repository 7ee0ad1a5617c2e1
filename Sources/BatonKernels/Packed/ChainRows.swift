import BatonKernelABI

/// The rows (t, n) of a window in the order in which chains of weight gradients meet them: leaf after leaf, in a leaf t from
/// T−1 to 0 and rows ascending; with lengths only those that take part.
struct ChainRows {
    let leaves: LeafPlan
    private let steps: Int
    private let lengths: SequenceLengths?
    /// All rows, and those but for the ones of time 0.
    let all: LeafDepths
    let later: LeafDepths

    /// Rows of every leaf, and of all leaves before it.
    struct LeafDepths {
        let depths: [Int]
        let before: [Int]
        var total: Int { before[depths.count] }

        fileprivate init(_ depths: [Int]) {
            self.depths = depths
            before = depths.reduce(into: [0]) { sums, depth in sums.append((sums.last ?? 0) + depth) }
        }
    }

    init(steps: Int, lengths: SequenceLengths?, leaves: LeafPlan) {
        self.leaves = leaves
        self.steps = steps
        self.lengths = lengths
        func depths(from time: Int) -> LeafDepths {
            LeafDepths(
                leaves.leaves.map { leaf in
                    lengths.map { lengths in leaf.reduce(0) { $0 + max(0, lengths.lengths[$1] - time) } }
                        ?? leaf.count * max(0, steps - time)
                })
        }
        (all, later) = (depths(from: 0), depths(from: 1))
    }

    /// Calls `body` with all rows in order, adjoining rows of one time together; with lengths every row by itself, because
    /// neighbours lie apart in the workspace.
    func forEachRun(_ body: (_ time: Int, _ rows: Range<Int>) -> Void) {
        for leaf in leaves.leaves {
            for time in (0..<steps).reversed() {
                guard let lengths else {
                    body(time, leaf)
                    continue
                }
                for row in leaf where lengths.lengths[row] > time { body(time, row..<row + 1) }
            }
        }
    }
}
