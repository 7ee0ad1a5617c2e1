import Baton

/// The picture of a run: training loss, raw and smoothed, and validation loss over the steps.
struct LossPlot {
    var title: String
    /// What the loss is counted in, for the axis: `nats per character`.
    var unit: String
    /// Loss of every training step.
    var training: [PlotPoint]
    /// Loss of every evaluation.
    var validation: [PlotPoint]

    /// Writes the picture as SVG; the file is complete or not there.
    func write(to path: String) throws(FormatError) { try AtomicFile.write(svg, to: path) }
}

extension LossPlot {
    private static let (width, height) = (960, 540)
    private static let (left, right, top, bottom) = (76.0, 936.0, 58.0, 478.0)
    private static let (ink, faintInk, grid) = ("#1f2933", "#5f6c7b", "#e4e7eb")
    private static let (trainingColor, validationColor) = ("#2f6fde", "#e4572e")
    /// More raw points than this cannot be told apart on the picture.
    private static let rawLimit = 1720

    /// The picture as text.
    var svg: String {
        var picture = SVGDocument(width: LossPlot.width, height: LossPlot.height, title: title)
        picture.text(
            title, at: PlotPoint(x: LossPlot.left, y: 34), size: 18, color: LossPlot.ink, bold: true)
        let shown = (training + validation).filter { $0.x.isFinite && $0.y.isFinite }
        guard let scales = LossPlot.scales(of: shown) else {
            picture.text(
                "no finite loss yet", at: PlotPoint(x: Double(LossPlot.width) / 2, y: Double(LossPlot.height) / 2),
                size: 15, color: LossPlot.faintInk, anchor: .middle)
            return picture.text
        }
        drawAxes(in: &picture, scales)
        drawCurves(in: &picture, scales)
        drawLegend(in: &picture)
        return picture.text
    }

    private typealias Scales = (x: PlotScale, y: PlotScale)

    private static func scales(of points: [PlotPoint]) -> Scales? {
        guard let first = points.map(\.x).min(), let last = points.map(\.x).max(), let low = points.map(\.y).min(),
            let high = points.map(\.y).max()
        else { return nil }
        return (
            PlotScale(spanning: min(first, 0)...last, tickCount: 8, rounded: false),
            PlotScale(spanning: low...high, tickCount: 6, rounded: true)
        )
    }

    private static func place(_ point: PlotPoint, _ scales: Scales) -> PlotPoint {
        PlotPoint(
            x: left + scales.x.fraction(of: point.x) * (right - left),
            y: bottom - scales.y.fraction(of: point.y) * (bottom - top))
    }

    private func drawAxes(in picture: inout SVGDocument, _ scales: Scales) {
        for tick in scales.y.ticks {
            let y = LossPlot.place(PlotPoint(x: scales.x.lower, y: tick), scales).y
            picture.line(
                from: PlotPoint(x: LossPlot.left, y: y), to: PlotPoint(x: LossPlot.right, y: y), color: LossPlot.grid)
            picture.text(
                scales.y.label(tick), at: PlotPoint(x: LossPlot.left - 9, y: y + 4.5), size: 13,
                color: LossPlot.faintInk, anchor: .end)
        }
        for tick in scales.x.ticks {
            let x = LossPlot.place(PlotPoint(x: tick, y: scales.y.lower), scales).x
            picture.line(
                from: PlotPoint(x: x, y: LossPlot.bottom), to: PlotPoint(x: x, y: LossPlot.bottom + 5),
                color: LossPlot.faintInk)
            picture.text(
                scales.x.label(tick), at: PlotPoint(x: x, y: LossPlot.bottom + 21), size: 13,
                color: LossPlot.faintInk, anchor: .middle)
        }
        picture.line(
            from: PlotPoint(x: LossPlot.left, y: LossPlot.bottom),
            to: PlotPoint(x: LossPlot.right, y: LossPlot.bottom), color: LossPlot.faintInk)
        picture.text(
            "step", at: PlotPoint(x: (LossPlot.left + LossPlot.right) / 2, y: LossPlot.bottom + 46), size: 14,
            color: LossPlot.ink, anchor: .middle)
        picture.text(
            "loss (\(unit))", at: PlotPoint(x: 22, y: (LossPlot.top + LossPlot.bottom) / 2), size: 14,
            color: LossPlot.ink, anchor: .middle, turned: true)
    }

    private func drawCurves(in picture: inout SVGDocument, _ scales: Scales) {
        let raw = PlotCurve.thinned(training, limit: LossPlot.rawLimit).map { LossPlot.place($0, scales) }
        picture.polyline(raw, color: LossPlot.trainingColor, width: 1, opacity: 0.28)
        let smooth = PlotCurve.thinned(PlotCurve.smoothed(training), limit: LossPlot.rawLimit)
        picture.polyline(
            smooth.map { LossPlot.place($0, scales) }, color: LossPlot.trainingColor, width: 2.2)
        let checks = validation.filter(\.y.isFinite).map { LossPlot.place($0, scales) }
        if checks.count > 1 { picture.polyline(checks, color: LossPlot.validationColor, width: 1.6, opacity: 0.8) }
        for check in checks {
            picture.circle(check, radius: checks.count > 60 ? 2.5 : 4, color: LossPlot.validationColor)
        }
    }

    private func drawLegend(in picture: inout SVGDocument) {
        var entries: [(text: String, color: String, isPoint: Bool)] = []
        if let last = PlotCurve.smoothed(training).last {
            entries.append(("training (smoothed), last \(fixed(last.y, digits: 3))", LossPlot.trainingColor, false))
        }
        if let best = validation.filter(\.y.isFinite).min(by: { $0.y < $1.y }) {
            let text = "validation, best \(fixed(best.y, digits: 3)) at step \(fixed(best.x, digits: 0))"
            entries.append((text, LossPlot.validationColor, true))
        }
        let corner = PlotPoint(x: LossPlot.right - 316, y: LossPlot.top + 8)
        picture.rectangle(
            from: corner, width: 312, height: Double(entries.count) * 24 + 12, fill: "#ffffff", opacity: 0.88)
        for (index, entry) in entries.enumerated() {
            let y = corner.y + 18 + Double(index) * 24
            picture.line(
                from: PlotPoint(x: corner.x + 12, y: y), to: PlotPoint(x: corner.x + 40, y: y), color: entry.color,
                width: 2.2)
            if entry.isPoint { picture.circle(PlotPoint(x: corner.x + 26, y: y), radius: 4, color: entry.color) }
            picture.text(entry.text, at: PlotPoint(x: corner.x + 50, y: y + 4.5), size: 13.5, color: LossPlot.ink)
        }
    }
}
