import BatonChecks

/// Valid lengths of the rows of a batch in a window of T steps: row n takes part at the times t < λₙ.
///
/// Where row n takes no part its state stays as it was, its output is zero and nothing flows back through it, so that
/// a row's results are those of the row alone at its own length; λ = 0 hands the state through. A reverse
/// direction starts at time λₙ − 1. Kernels work through the rows by descending length: at every time those that take
/// part are then the first ones, and the work is Σλ rows, not N·T. That order never shows in results: every chain of an
/// output runs within its row, and gradients of weights take the rows in their own order (see `LeafPlan`), the missing
/// ones left out.
///
/// Source: Gluon `use_sequence_length` (parity 2.7), where λ = 0 is undefined.
public struct SequenceLengths: Sendable, Hashable {
    /// λ by row.
    public let lengths: [Int]
    /// T.
    public let steps: Int
    /// Rows by descending length, equal ones ascending.
    public let order: [Int]
    /// Rows that take part at a time, the first so many of `order`; T entries, never rising.
    public let activeRows: [Int]
    /// Rows that take part before a time, over all earlier times; T + 1 entries.
    public let rowsBefore: [Int]

    /// - Precondition: 0 ≤ λ ≤ T for every row; from outside, check first.
    public init(_ lengths: [Int], steps: Int) {
        require(
            lengths.allSatisfy { 0...steps ~= $0 },
            "SequenceLengths: expected lengths from 0 to \(steps), got \(lengths)")
        self.lengths = lengths
        self.steps = steps
        order = Self.descending(Array(lengths.indices), lengths)
        var ending = [Int](repeating: 0, count: steps + 1)
        for length in lengths { ending[length] += 1 }
        var active = lengths.count
        var before = 0
        var counts: [Int] = []
        var starts = [0]
        for time in 0..<steps {
            active -= ending[time]
            before += active
            counts.append(active)
            starts.append(before)
        }
        activeRows = counts
        rowsBefore = starts
    }

    /// N.
    public var rowCount: Int { lengths.count }
    /// Σλ.
    public var total: Int { rowsBefore[steps] }
    /// Place of every row in `order`.
    public var positions: [Int] {
        var positions = order
        for (position, row) in order.enumerated() { positions[row] = position }
        return positions
    }
    /// Whether all rows take part at all times.
    public var isFull: Bool { total == steps * rowCount }

    /// Rows by descending length, equal ones as they stand.
    static func descending(_ rows: [Int], _ lengths: [Int]) -> [Int] {
        rows.sorted { (lengths[$0], $1) > (lengths[$1], $0) }
    }
}
