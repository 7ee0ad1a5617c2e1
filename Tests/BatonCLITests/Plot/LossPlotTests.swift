import Foundation
import Testing

@testable import BatonCLI

@Suite struct LossPlotTests {
    private func plot(_ losses: [Double], validation: [PlotPoint] = []) -> LossPlot {
        LossPlot(
            title: "LSTM <2 × 256> & \"friends\"", unit: "nats per character",
            training: losses.enumerated().map { PlotPoint(x: Double($0 + 1), y: $1) }, validation: validation)
    }

    @Test func everyPointLiesInsideTheFrame() throws {
        let losses = (1...3000).map { (step: Int) -> Double in
            4 / Double(step).squareRoot() + (step.isMultiple(of: 7) ? 0.3 : 0)
        }
        let svg = plot(losses, validation: [PlotPoint(x: 3000, y: 0.4)]).svg
        let lines = svg.matches(of: /points="([^"]*)"/)
        #expect(lines.count == 2)
        for line in lines {
            for pair in line.output.1.split(separator: " ") {
                let xy = pair.split(separator: ",").compactMap { Double($0) }
                #expect(xy.count == 2)
                #expect((76...936).contains(xy[0]) && (58...478).contains(xy[1]))
            }
        }
        #expect(svg.matches(of: /<circle/).count == 2)
    }

    @Test func titleUnitAndFiguresAreLabeled() {
        let svg = plot([3, 2, 1], validation: [PlotPoint(x: 1, y: 2.5), PlotPoint(x: 3, y: 1.75)]).svg
        for label in [
            "LSTM &lt;2 × 256&gt; &amp; &quot;friends&quot;", "loss (nats per character)", ">step<",
            "validation, best 1.750 at step 3",
        ] { #expect(svg.contains(label), "\(label)") }
    }

    @Test func lossesThatAreNotFiniteAreLeftOut() {
        let svg = plot([3, .nan, 2, .infinity, 1]).svg
        #expect(!svg.lowercased().contains("nan") && !svg.contains("inf\""))
        #expect(svg.contains("<polyline"))
    }

    @Test(arguments: [[], [Double.nan]])
    func nothingToShowIsSaid(losses: [Double]) { #expect(plot(losses).svg.contains("no finite loss yet")) }

    @Test func oneStepIsAPlotToo() {
        let svg = plot([2]).svg
        #expect(svg.contains("<polyline") && !svg.lowercased().contains("nan"))
    }

    @Test func theFileIsWrittenWhole() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let picture = plot([3, 2, 1])
        try picture.write(to: folder.file("loss.svg"))
        #expect(try String(contentsOfFile: folder.file("loss.svg"), encoding: .utf8) == picture.svg)
        #expect(try folder.names() == ["loss.svg"])
    }

    @Test func smoothingKeepsAStraightLineAndItsEnds() {
        let line = (0..<500).map { PlotPoint(x: Double($0), y: 2) }
        #expect(PlotCurve.smoothed(line).allSatisfy { abs($0.y - 2) < 1e-12 })
        let slope = (0..<500).map { PlotPoint(x: Double($0), y: Double($0)) }
        // Away from the ends the neighbors on both sides balance.
        #expect(PlotCurve.smoothed(slope)[200..<300].allSatisfy { abs($0.y - $0.x) < 1e-6 })
    }

    @Test func thinningKeepsExtremesAndOrder() {
        var points = (0..<10_000).map { PlotPoint(x: Double($0), y: 1) }
        points[5_003].y = 9
        points[7_001].y = -9
        let thin = PlotCurve.thinned(points, limit: 200)
        #expect(thin.count <= 200)
        #expect(thin.contains(points[5_003]) && thin.contains(points[7_001]))
        #expect(zip(thin, thin.dropFirst()).allSatisfy { $0.x < $1.x })
    }

    @Test(arguments: [
        (0.0...1900.0, 8, [0.0, 500, 1000, 1500]), (1.31...4.42, 6, [1, 2, 3, 4, 5]),
        (0.9...1.04, 6, [0.9, 0.95, 1, 1.05]),
    ])
    func ticksAreRoundNumbers(span: ClosedRange<Double>, count: Int, ticks: [Double]) {
        let scale = PlotScale(spanning: span, tickCount: count, rounded: span.lowerBound > 0)
        #expect(zip(scale.ticks, ticks).allSatisfy { abs($0 - $1) < 1e-9 } && scale.ticks.count == ticks.count)
        #expect(Set(scale.ticks.map(scale.label)).count == ticks.count)
    }
}
