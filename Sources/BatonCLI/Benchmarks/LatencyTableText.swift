/// The table `bench latency` prints, line by line while it measures.
struct LatencyTableText {
    private let columns: AlignedColumns

    init(shapes: [KernelShape]) {
        columns = AlignedColumns(widths: [ShapeColumn.width(shapes), 8, 8, 8, 8, 9, 8, 6, 7, 6, 6, 9])
    }

    var header: String {
        columns.line([
            ShapeColumn.title, "best µs", "p50", "p90", "p99", "max", "MiB/step", "GB/s", "of GB/s", "read %", "GF/s",
            "error ppm",
        ])
    }

    func line(_ row: LatencyMeasurement) -> String {
        let times = row.microsecondsPerStep
        return columns.line(
            [row.shape] + [times.best, times.p50, times.p90, times.p99, times.max].map { fixed($0, digits: 1) } + [
                fixed(row.reads.bytesPerStep / 0x1p20, digits: 2), fixed(row.reads.gbytesPerSecond, digits: 1),
                fixed(row.reads.ceilingGBytesPerSecond, digits: 1), fixed(row.reads.shareOfCeiling * 100, digits: 0),
                fixed(row.gflops, digits: 1), fixed(row.relativeError * 1e6, digits: 1),
            ])
    }
}
