import BatonKernelABI

/// How columns are divided into vectors and panels (see `PackedPanels`).
struct PanelDivision {
    let lanes: Int

    /// Strips that hold `columns` columns.
    func strips(_ columns: Int) -> Int { (columns + lanes - 1) / lanes }

    /// Widths in strips of balanced panels, as the matrix kernels cut them.
    static func balancedPanels(_ strips: Int) -> [Int] {
        let panels = BalancedParts(strips, limit: PackedPanels.stripLimit)
        return (0..<panels.parts).map(panels.size)
    }
}
