/// Where the rows (t, n) of a caller's array begin, in elements: t·time + n·row behind its first. Columns are contiguous.
public struct SequenceStrides: Sendable, Hashable {
    /// Distance between a row and that of the next time.
    public var time: Int
    /// Distance between neighbouring rows of a time.
    public var row: Int

    /// All values at once.
    public init(time: Int, row: Int) {
        self.time = time
        self.row = row
    }

    /// Of (T, N, width).
    public static func timeMajor(batch: Int, width: Int) -> SequenceStrides {
        SequenceStrides(time: batch * width, row: width)
    }

    /// Of (N, T, width).
    public static func batchMajor(steps: Int, width: Int) -> SequenceStrides {
        SequenceStrides(time: width, row: steps * width)
    }

    /// Where a row begins.
    public func offset(time index: Int, row number: Int = 0) -> Int { index * time + number * row }

    /// The distance between neighbours of an array that has its rows time by time and equally far apart; nil of others.
    func distance(batch: Int) -> Int? { batch == 1 ? time : time == batch * row ? row : nil }

    /// The same of an array that has its rows equally far apart in either order.
    func distanceInMemory(steps: Int, batch: Int) -> Int? {
        distance(batch: batch) ?? (row == steps * time ? time : nil)
    }
}
