import Testing

@testable import BatonCLI

@Suite struct ProgressBarTests {
    /// Collects what a bar writes.
    private final class Sheet {
        var text = ""
    }

    private func bar(_ style: ProgressBar.Style, total: Int, from step: Int = 0, on sheet: Sheet) -> ProgressBar {
        ProgressBar(label: "train", startStep: step, total: total, style: style, now: 0) { sheet.text += $0 }
    }

    @Test func aTerminalLineIsRedrawnAtMostTenTimesASecond() {
        let sheet = Sheet()
        var bar = bar(.terminal(columns: 100), total: 1000, on: sheet)
        for step in 1...1000 { bar.advance(to: step, loss: 2, tokens: 100, now: Double(step) * 0.001) }
        let drawn = sheet.text.split(separator: "\r").count
        #expect((9...11).contains(drawn))
        #expect(!sheet.text.contains("\n"))
        bar.finish(now: 1)
        #expect(sheet.text.hasSuffix("\u{1B}[K\n"))
        #expect(sheet.text.contains("1000/1000"))
    }

    @Test func theLineFitsTheTerminal() {
        for columns in [1, 20, 50, 80, 200] {
            let sheet = Sheet()
            var bar = bar(.terminal(columns: columns), total: 50_000, on: sheet)
            bar.advance(to: 25_000, loss: 1.23456, tokens: 4096, now: 10)
            let line = sheet.text.drop { $0 == "\r" }.prefix { $0 != "\u{1B}" }
            #expect(line.count <= max(columns - 1, 1), "\(columns): \(line)")
        }
    }

    @Test func theBarIsFilledInProportion() {
        let line = ProgressBar.line(label: "t", figures: "f", done: 1, total: 4, columns: 200)
        #expect(line.filter { $0 == "━" }.count == 10)
        #expect(line.filter { $0 == "─" }.count == 30)
    }

    @Test func rateAndRemainingTimeFollowTheMeasuredSteps() {
        var rate = ProgressRate(startStep: 100, now: 5)
        for step in 101...200 { rate.advance(to: step, tokens: 4000, now: 5 + Double(step - 100) * 0.5) }
        #expect(abs((rate.tokensPerSecond ?? 0) - 8000) < 1e-6)
        #expect(abs((rate.remaining(to: 1000) ?? 0) - 400) < 1e-6)
        #expect(rate.tokensText == "8000 tokens/s")
        #expect(rate.remainingText(to: 1000) == "6:40")
    }

    @Test func rateForgetsASlowStart() {
        var rate = ProgressRate(startStep: 0, now: 0)
        rate.advance(to: 1, tokens: 100, now: 60)
        for step in 2...400 { rate.advance(to: step, tokens: 100, now: 60 + Double(step - 1) * 0.25) }
        #expect(abs((rate.tokensPerSecond ?? 0) - 400) < 10)
    }

    @Test(arguments: [
        (0.0, "0:00"), (59.2, "1:00"), (61, "1:01"), (3599, "59:59"), (3600, "1:00:00"), (36061, "10:01:01"),
    ])
    func timesReadLikeAClock(seconds: Double, text: String) { #expect(ProgressRate.clock(seconds) == text) }

    @Test func plainLinesComeSeldom() {
        let sheet = Sheet()
        var bar = bar(.plain, total: 100_000, on: sheet)
        // 1000 s at 100 steps a second: one percent every 10 s.
        for step in 1...100_000 { bar.advance(to: step, loss: 3, tokens: 10, now: Double(step) * 0.01) }
        bar.finish(now: 1000)
        let lines = sheet.text.split(separator: "\n")
        #expect((100...102).contains(lines.count))
        #expect(!sheet.text.contains("\r") && !sheet.text.contains("\u{1B}"))
        #expect(lines.last?.contains("100000/100000") == true)
    }

    @Test func aSlowRunStillSpeaksOnceAMinute() {
        let sheet = Sheet()
        var bar = bar(.plain, total: 1_000_000, on: sheet)
        for step in 1...60 { bar.advance(to: step, loss: 3, tokens: 10, now: Double(step) * 10) }
        #expect((10...11).contains(sheet.text.split(separator: "\n").count))
    }

    @Test(arguments: [
        (1.005, 2, "1.00"), (2.5, 0, "3"), (-0.004, 2, "0.00"), (-1.25, 1, "-1.3"), (0.06, 1, "0.1"), (12, 3, "12.000"),
        (.nan, 2, "nan"), (-.infinity, 2, "-inf"),
    ])
    func decimalsAreRounded(value: Double, digits: Int, text: String) { #expect(fixed(value, digits: digits) == text) }
}
