import BatonChecks

/// That rows of a value are equal because they were looked up in a table: what they have in common can be computed once.
public final class RepeatedRows {
    /// One of each of the rows that differ.
    public struct Distinct {
        /// (D, C).
        public let rows: Tensor
        /// int32, one for each row of the value in its order in memory: which of the D it is.
        public let numbers: Tensor
    }

    /// Whether a common product of so many rows that differ is worth its making: they are no more than half of all, and all
    /// are many.
    public static func areWorthAProduct(distinct: Int, of count: Int) -> Bool { count >= 64 && distinct * 2 <= count }

    private let value: Tensor
    private let entries: [Int]
    private let tableRows: Int

    /// - Parameters:
    ///   - value: rows along its last axis.
    ///   - entries: row of the table of each of them.
    ///   - tableRows: rows of the table.
    init(_ value: Tensor, entries: [Int], tableRows: Int) {
        self.value = value
        self.entries = entries
        self.tableRows = tableRows
    }

    /// The rows that differ; nil if they are more than half of all, or all are few.
    public private(set) lazy var distinct: Distinct? = makeDistinct()

    private func makeDistinct() -> Distinct? {
        guard Self.areWorthAProduct(distinct: 0, of: entries.count) else { return nil }
        var numberOf = [Int32](repeating: -1, count: tableRows)
        let numbers = Tensor(uninitialized: [entries.count], dtype: .int32)
        let number = numbers.pointer(of: Int32.self)
        var places: [Int] = []
        for (place, entry) in entries.enumerated() {
            if numberOf[entry] < 0 {
                numberOf[entry] = Int32(places.count)
                places.append(place)
                guard Self.areWorthAProduct(distinct: places.count, of: entries.count) else { return nil }
            }
            number[place] = numberOf[entry]
        }
        let rowBytes = value.byteCount / entries.count
        let rows = Tensor(uninitialized: [places.count] + value.shape.suffix(1), dtype: value.dtype)
        for (number, place) in places.enumerated() {
            (rows.rawPointer + number * rowBytes).copyMemory(
                from: value.rawPointer + place * rowBytes, byteCount: rowBytes)
        }
        return Distinct(rows: rows, numbers: numbers)
    }
}
