public import BatonTensor

/// Sequences of different lengths in one tensor, with zeros behind each.
public struct PaddedBatch {
    /// (N, T, …) or (T, N, …) with T the largest length, or a given one.
    public let values: Tensor
    /// λ of every sequence, (N) int32: the `validLength` of cells. Layers take `lengths.integers()`.
    public let lengths: Tensor

    /// Puts the sequences side by side.
    ///
    /// - Parameters:
    ///   - sequences: (λ, …) each, equal but for λ.
    ///   - layout: order of the axes of the batch.
    ///   - steps: T; nil is the largest length.
    /// - Throws: `DataError` if there are none, they differ in more than the length, or one is longer than `steps`.
    public init(_ sequences: [Tensor], layout: SequenceLayout = .TNC, steps: Int? = nil) throws(DataError) {
        guard let first = sequences.first, first.rank >= 1 else {
            throw DataError(
                .unequalSequences, "There is no sequence with an axis of steps for a padded batch; give at least one.")
        }
        let longest = sequences.map { $0.shape.first ?? 0 }.max() ?? 0
        let total = steps ?? longest
        guard longest <= total else {
            throw DataError(
                .outOfRange,
                "A sequence has \(longest) steps, more than the \(total) of the batch; cut it or raise the limit.")
        }
        let rest = Array(first.shape.dropFirst())
        let rows = Tensor(zeros: [sequences.count, total] + rest, dtype: first.dtype)
        for (index, sequence) in sequences.enumerated() {
            guard sequence.dtype == first.dtype, sequence.rank == first.rank, Array(sequence.shape.dropFirst()) == rest
            else {
                throw DataError(
                    .unequalSequences,
                    "Sequence \(index) of a batch is \(sequence.shape) \(sequence.dtype.rawValue) where the first is \(first.shape) \(first.dtype.rawValue); they may differ in their length only."
                )
            }
            let row = rows[leading: index..<index + 1].reshaped([total] + rest)
            row[leading: 0..<sequence.shape[0]].copyElements(from: sequence)
        }
        values = layout == .NTC ? rows : rows.withSwappedLeadingAxes()
        lengths = Tensor(sequences.map { Int32($0.shape[0]) }, shape: [sequences.count])
    }
}
