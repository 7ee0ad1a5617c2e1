import Baton
import Testing

@testable import BatonCLI

/// The arithmetic of the benchmarks, on made-up times.
@Suite struct BenchFigureTests {
    @Test func aPassIsComparedWithThePeak() {
        let pass = KernelMeasurement.Pass(operations: 6e9, seconds: 0.05, shareOnCore: 1, peak: 240e9)
        #expect(abs(pass.gflops - 120) < 1e-9)
        #expect(abs(pass.shareOfPeak - 0.5) < 1e-12)
    }

    /// A peak that was measured too low shows itself: a kernel seems faster than the core.
    @Test func aShareAboveThePeakIsMarked() throws {
        let shape = KernelShape(cell: .rnnTanh, steps: 1, batch: 1, input: 512, hidden: 512)
        func row(inference: Double, training: Double) -> KernelMeasurement {
            let passes = [1 / inference, 3 / training].map { factor in
                BestTime(seconds: factor * shape.forwardOperations / 1e9, shareOnCore: 1)
            }
            return KernelMeasurement(
                shape, precision: .float32, times: [(.packed, passes[0], passes[1])], peak: 1e9, ceiling: 1e9)
        }
        let rows = [
            row(inference: 0.99, training: 0.9), row(inference: 1.25, training: 0.9),
            row(inference: 0.99, training: 1.25),
        ]
        #expect(rows.map(\.exceedsPeak) == [false, true, true])
        let table = KernelTableText(shapes: [shape], backends: [.packed], precision: .float32)
        #expect(rows.map { table.line($0).hasSuffix(" !") } == [false, true, true])
        #expect(table.notes([rows[0]]) == [])
        let notes = table.notes(rows)
        #expect(notes.count == 1 && notes[0].hasPrefix("! ") && notes[0].contains("measured too low"))
        #expect(try jsonText(rows).split(separator: "\"exceeds_peak\" : true").count == 3)
    }

    /// Dot products of bfloat16 may pass the peak of f32, and there is no training to show.
    @Test func reducedPrecisionIsInferenceOnly() throws {
        let shape = KernelShape(cell: .rnnTanh, steps: 1, batch: 1, input: 512, hidden: 512)
        let time = BestTime(seconds: shape.forwardOperations / 1.9e9, shareOnCore: 1)
        let row = KernelMeasurement(
            shape, precision: .bfloat16, times: [(.packed, time, nil)], peak: 1e9, ceiling: 0.4e9)
        #expect(!row.exceedsPeak && !row.isDisturbed && row.weightBytes == 0x1p20)
        #expect(row.results[0].reads.bytesPerStep == 0x1p20)
        let table = KernelTableText(shapes: [shape], backends: [.packed], precision: .bfloat16)
        #expect(!table.header.contains("training"))
        let cells = table.line(row).split(separator: " ")
        #expect(cells[5...].map(String.init) == ["1.9", "190", "475", "1.00", "0", "1.0"])
        #expect(try !jsonText(row).contains("training"))
    }

    @Test func shortWorkIsTimedInGroups() {
        #expect(BestTime.groupSize(single: 1) == 1)
        #expect(BestTime.groupSize(single: 2e-4) == 1)
        #expect(BestTime.groupSize(single: 0.9e-4) == 3)
        #expect(BestTime.groupSize(single: 0) == 20_000)
    }

    @Test func workIsRepeatedAndWarmedUp() {
        var runs = 0
        let time = BestTime(over: 0) {
            runs += 1
            var sum = 0.0
            for index in 0..<100_000 { sum += 1 / Double(index + runs) }
            #expect(sum > 0)
        }
        #expect(runs >= 4)
        #expect(time.seconds > 0 && time.seconds.isFinite)
        #expect(time.shareOnCore > 0 && time.shareOnCore <= 1)
    }

    @Test func theMedianIsInTheMiddle() {
        #expect(median([3]) == 3)
        #expect(median([5, 1, 4]) == 4)
        #expect(median([4, 1, 8, 2]) == 3)
    }

    @Test func aTallyAddsStepsAndRounds() {
        var tally = RankTally()
        for seconds in [0.5, 0.25, 0.25] {
            var times = StepTimes()
            times.forward = seconds / 2
            times.backward = seconds / 4
            times.combine = 0.01
            times.update = 0.02
            times.hash = 0.03
            tally.add(tokens: 100, seconds: seconds, times: times)
        }
        tally.add(roundSeconds: 1)
        tally.add(roundSeconds: 0.5)
        #expect(tally.tokensPerSecond == 200)
        #expect(tally.tokensPerSecondByMedian == 400)
        let parts = TrainFigures.Breakdown(tally.meanTimes).parts
        #expect(parts.map(\.name) == ["forward", "backward", "wait", "update", "hash"])
        for (part, expected) in zip(parts, [500.0 / 3, 250.0 / 3, 10, 20, 30]) {
            #expect(abs(part.milliseconds - expected) < 1e-9, "\(part.name)")
        }
    }

    @Test func trainingCountsTheProductsThatAreDone() throws {
        func operations(vocabulary: Int, ranks: Int) throws -> Double {
            TrainWorkload(
                model: try LanguageModelConfiguration(
                    cell: .lstm, vocabularySize: vocabulary, embedding: 64, hidden: 256, layers: 2, dropout: 0.2),
                lanes: .perRank(64), stepsPerWindow: 64
            ).operationsPerToken(ranks: ranks)
        }
        // Hardly a token is there twice: 6 · (1024 · (64 + 256) + 1024 · (256 + 256) + V · 256), and one step in 64 makes
        // no gradient of the h before it.
        let first = 2 * 2 * 1024 * 256 / 64.0
        #expect(try operations(vocabulary: 50_000, ranks: 1) == 6 * (851_968 + 50_000 * 256) - first)
        // All 65 are there, and 4096 or 8192 positions share what is made of them.
        for ranks in [1, 2] {
            let shared = 2 * 1024 * 64 * (1 - 65 / Double(4096 * ranks))
            #expect(try abs(operations(vocabulary: 65, ranks: ranks) - (6 * (851_968 + 65 * 256) - shared - first)) < 1)
        }
    }

    @Test func linesOfATableEndTogether() {
        let columns = AlignedColumns(widths: [4, 5, 3])
        #expect(columns.line(["ab", "1.5", "7"]) == "ab      1.5    7")
        #expect(columns.line(["abcd", "12345", "789"]) == "abcd  12345  789")
    }

    @Test func percentilesAreNearestRanks() {
        let hundred = Percentiles((1...100).reversed().map(Double.init))
        #expect(hundred.best == 1 && hundred.p50 == 50 && hundred.p90 == 90 && hundred.p99 == 99 && hundred.max == 100)
        let three = Percentiles([3, 1, 2])
        #expect(three.best == 1 && three.p50 == 2 && three.p90 == 3 && three.p99 == 3 && three.max == 3)
        let one = Percentiles([7])
        #expect(one.best == 7 && one.p50 == 7 && one.max == 7)
    }

    @Test func readingIsComparedWithTheSweep() {
        // 2 MiB of weights, each step 20 µs: 104.9 GB/s of 120.
        let shape = KernelShape(cell: .rnnTanh, steps: 1, batch: 1, input: 512, hidden: 512)
        let reads = WeightReads(shape, precision: .float32, secondsPerStep: 20e-6, ceiling: 120e9)
        #expect(reads.bytesPerStep == 0x1p21 && reads.workingSetBytes == 0x1p21)
        #expect(abs(reads.gbytesPerSecond - 104.8576) < 1e-9)
        #expect(abs(reads.shareOfCeiling - 104.8576 / 120) < 1e-12)
        // At 250 GF/s and 100 GB/s a weight is read in the time of ten operations: five rows.
        #expect(WeightReads.bound(batch: 4, precision: .float32, peak: 250e9, ceiling: 100e9))
        #expect(!WeightReads.bound(batch: 5, precision: .float32, peak: 250e9, ceiling: 100e9))
        #expect(WeightReads.bound(batch: 2, precision: .bfloat16, peak: 250e9, ceiling: 100e9))
        #expect(!WeightReads.bound(batch: 3, precision: .bfloat16, peak: 250e9, ceiling: 100e9))
    }
}
