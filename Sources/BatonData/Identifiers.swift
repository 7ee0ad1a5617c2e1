public import BatonTensor

/// The check of numbers that name tokens or classes, for data that come from outside the program.
///
/// Operations such as `ForwardContext.embedding` and `ForwardContext.crossEntropyLoss` take a number out of range for a
/// mistake of the program and end the process. Where a file or a service gives the numbers, check them when they come
/// in: the error can then be caught, and names the place.
///
/// ```swift
/// try Identifiers.check(labels, below: 9, what: "Class")
/// ```
public enum Identifiers {
    /// Throws unless all are in 0 ..< count.
    ///
    /// - Parameters:
    ///   - count: V, rows of the table or number of classes; at least 1.
    ///   - what: what one of them is, with a capital letter, for the message.
    /// - Throws: `DataError` (`unknownIdentifier`) naming the first that is not, and its place from 0.
    public static func check(_ identifiers: [Int32], below count: Int, what: String = "Token") throws(DataError) {
        guard let place = identifiers.firstIndex(where: { $0 < 0 || $0 >= count }) else { return }
        throw error("\(what) \(identifiers[place])", place, count)
    }

    /// Throws unless all elements of a tensor are in 0 ..< count, and whole if they are floating-point numbers.
    ///
    /// - Parameters:
    ///   - identifiers: of any shape and type.
    ///   - count: V, rows of the table or number of classes; at least 1.
    ///   - what: what one of them is, with a capital letter, for the message.
    /// - Throws: `DataError` (`unknownIdentifier`) naming the first that is not, and its place in memory order from 0.
    public static func check(_ identifiers: Tensor, below count: Int, what: String = "Token") throws(DataError) {
        if identifiers.dtype.isFloatingPoint {
            let values = identifiers.doubles()
            let place = values.firstIndex { value in Int(exactly: value).map { $0 < 0 || $0 >= count } ?? true }
            if let place { throw error("\(what) \(values[place])", place, count) }
        } else {
            let values = identifiers.integers()
            let place = values.firstIndex { $0 < 0 || $0 >= count }
            if let place { throw error("\(what) \(values[place])", place, count) }
        }
    }

    private static func error(_ found: String, _ place: Int, _ count: Int) -> DataError {
        DataError(
            .unknownIdentifier,
            "\(found) at position \(place) is none of the \(count) known, 0 to \(count - 1); use the vocabulary or the "
                + "classes of the same model.")
    }
}
