import BatonChecks
import BatonKernelABI

/// Which part of a layer's hidden units one of several processes computes.
///
/// Units are divided by whole vectors of the instruction set, so that no vector is computed twice; parts differ by at
/// most one vector and may be empty. The bits of a unit do not depend on who computes it: each is a chain of its own.
public struct UnitShard: Sendable, Hashable {
    /// Number of the part.
    public let index: Int
    /// Number of parts.
    public let count: Int

    /// All units.
    public static let whole = UnitShard(index: 0, count: 1)

    /// Part `index` of `count`.
    ///
    /// - Precondition: 0 ≤ index < count.
    public init(index: Int, count: Int) {
        require(count > 0 && (0..<count).contains(index), "UnitShard: there is no part \(index) of \(count)")
        self.index = index
        self.count = count
    }

    /// Whether this is all units.
    public var isWhole: Bool { count == 1 }

    /// The part of so many columns that belongs to it, on the instruction set in use: of H, its units; of I, the columns
    /// of the input's gradient it computes.
    public func columns(of width: Int) -> Range<Int> {
        columns(of: width, lanes: KernelSelection.activeTable.laneCount)
    }

    func columns(of width: Int, lanes: Int) -> Range<Int> {
        let strips = strips(of: (width + lanes - 1) / lanes)
        return min(width, strips.lowerBound * lanes)..<min(width, strips.upperBound * lanes)
    }

    /// Its part of so many vectors.
    func strips(of total: Int) -> Range<Int> { index * total / count..<(index + 1) * total / count }
}
