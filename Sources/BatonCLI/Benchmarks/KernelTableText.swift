import Baton

/// The table `bench kernels` prints, line by line while it measures.
struct KernelTableText {
    private let backends: [KernelBackend]
    private let columns: AlignedColumns

    init(shapes: [KernelShape], backends: [KernelBackend]) {
        self.backends = backends
        func width(_ title: String, _ value: (KernelShape) -> String) -> Int {
            max(title.count, shapes.map { value($0).count }.max() ?? 0)
        }
        let sizes = [
            width("cell") { $0.cell.rawValue }, width("T") { "\($0.steps)" }, width("N") { "\($0.batch)" },
            width("I") { "\($0.input)" }, width("H") { "\($0.hidden)" },
        ]
        columns = AlignedColumns(widths: sizes + backends.flatMap { _ in Self.backendWidths } + [7])
    }

    private static let backendWidths = [11, 3, 8, 3]

    /// Two lines: the backends, and what stands below them.
    var header: String {
        let groups = AlignedColumns(
            widths: [columns.widths.prefix(5).reduce(2 * 4, +)]
                + backends.map { _ in Self.backendWidths.reduce(2 * 3, +) })
        let titles = backends.flatMap { _ in ["inference", "%", "training", "%"] }
        return groups.line([""] + backends.map { "\($0.rawValue), GF/s" }) + "\n"
            + columns.line(["cell", "T", "N", "I", "H"] + titles + ["peak"])
    }

    /// One shape; a star marks a row during which the core was not this program's alone.
    func line(_ row: KernelMeasurement) -> String {
        let figures = row.results.flatMap { result in
            [result.inference, result.training].flatMap { pass in
                [fixed(pass.gflops, digits: 1), fixed(pass.shareOfPeak * 100, digits: 0)]
            }
        }
        let sizes = [row.steps, row.batch, row.input, row.hidden].map { "\($0)" }
        return columns.line([row.cell] + sizes + figures + [fixed(row.peakGFlops, digits: 1)])
            + (row.isDisturbed ? " *" : "")
    }
}
