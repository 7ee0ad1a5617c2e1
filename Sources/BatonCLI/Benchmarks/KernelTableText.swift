import Baton

/// The table `bench kernels` prints, line by line while it measures.
struct KernelTableText {
    private let backends: [KernelBackend]
    /// Title and width of what stands below every backend.
    private let figures: [(title: String, width: Int)]
    private let columns: AlignedColumns

    /// In reduced precision there is no training.
    init(shapes: [KernelShape], backends: [KernelBackend], precision: WeightPrecision) {
        self.backends = backends
        let figures =
            [("inference", 11), ("%", 3), ("read %", 6)] + (precision == .float32 ? [("training", 8), ("%", 3)] : [])
        self.figures = figures
        columns = AlignedColumns(
            widths: [ShapeColumn.width(shapes)] + backends.flatMap { _ in figures.map(\.1) } + [8, 7, 7])
    }

    /// Two lines: the backends, and what stands below them.
    var header: String {
        let groups = AlignedColumns(
            widths: [columns.widths[0]]
                + backends.map { _ in figures.map(\.width).reduce(2 * (figures.count - 1), +) })
        let titles = backends.flatMap { _ in figures.map(\.title) }
        return groups.line([""] + backends.map { "\($0.rawValue), GF/s" }) + "\n"
            + columns.line([ShapeColumn.title] + titles + ["MiB/step", "GB/s", "peak"])
    }

    /// One shape; a star marks a row during which the core was not this program's alone, an exclamation mark one with a
    /// figure above the peak.
    func line(_ row: KernelMeasurement) -> String {
        func share(_ value: Double) -> String { fixed(value * 100, digits: 0) }
        let figures = row.results.flatMap { result in
            [
                fixed(result.inference.gflops, digits: 1), share(result.inference.shareOfPeak),
                row.readBound ? share(result.reads.shareOfCeiling) : "",
            ] + (result.training.map { [fixed($0.gflops, digits: 1), share($0.shareOfPeak)] } ?? [])
        }
        let reads = row.results.first.map { result in
            [
                fixed(result.reads.bytesPerStep / 0x1p20, digits: 2),
                fixed(result.reads.ceilingGBytesPerSecond, digits: 0),
            ]
        }
        return columns.line([row.shape] + figures + (reads ?? []) + [fixed(row.peakGFlops, digits: 1)])
            + (row.isDisturbed ? " *" : "") + (row.exceedsPeak ? " !" : "")
    }

    /// What the marks at the ends of the rows mean, a line for each mark that stands there.
    func notes(_ rows: [KernelMeasurement]) -> [String] {
        let marks = [
            (
                rows.contains(where: \.isDisturbed),
                "* other programs had the core even during the best repetition: too low, measure again"
            ),
            (
                rows.contains(where: \.exceedsPeak),
                "! above the measured peak, which no kernel can be: the peak was measured too low, measure again"
            ),
        ]
        return marks.filter(\.0).map(\.1)
    }
}
