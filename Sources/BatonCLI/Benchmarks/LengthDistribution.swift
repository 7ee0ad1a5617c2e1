/// Lengths of a batch for measurements: the same on every run.
enum LengthDistribution: String, CaseIterable {
    /// 1 to T, every length as likely.
    case uniform
    /// Half of the rows T, half T/2.
    case halves
    /// One row T, the others T/4: most steps have a single row, which reads the weights for itself.
    case oneLong = "one long"

    /// One length per row, in no order.
    func lengths(_ shape: KernelShape) -> [Int] {
        let (steps, batch) = (shape.steps, shape.batch)
        switch self {
        case .uniform:
            // Knuth's multiplicative hash spreads consecutive numbers evenly.
            return (0..<batch).map { row in
                1 + (Int(UInt32(truncatingIfNeeded: (row + 1) * 2_654_435_761) >> 8) * steps) >> 24
            }
        case .halves: return (0..<batch).map { $0 % 2 == 0 ? max(1, steps / 2) : steps }
        case .oneLong: return (0..<batch).map { $0 == batch / 2 ? steps : max(1, steps / 4) }
        }
    }
}
