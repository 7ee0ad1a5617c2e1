public import BatonKernels

/// Order of the axes of a sequence: T time steps, N rows of the batch, C features.
public enum SequenceLayout: String, Sendable, Hashable, CaseIterable, Codable {
    /// Time by time: the layers' own order.
    case TNC
    /// Row of the batch by row of the batch.
    case NTC

    /// (T, N, C) in this order.
    public func shape(steps: Int, batch: Int, width: Int) -> [Int] {
        self == .TNC ? [steps, batch, width] : [batch, steps, width]
    }

    /// T and N of a shape in this order.
    public func sizes(_ shape: [Int]) -> (steps: Int, batch: Int) {
        self == .TNC ? (shape[0], shape[1]) : (shape[1], shape[0])
    }

    /// Where the rows of an array of this order are.
    public func strides(steps: Int, batch: Int, width: Int) -> SequenceStrides {
        self == .TNC ? .timeMajor(batch: batch, width: width) : .batchMajor(steps: steps, width: width)
    }
}
