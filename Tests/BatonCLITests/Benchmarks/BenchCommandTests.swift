import Baton
import Foundation
import Testing

@testable import BatonCLI

/// `baton bench` as a program. Figures are only looked at for being there: how fast it is says no unit test.
@Suite struct BenchCommandTests {
    @Test func kernelsReportsEveryShapeAndBackend() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.file("shapes.txt")
        try "lstm 2 3 4 5\ngru 1 1 2 17 # narrow\ngru 3 2 4 5 layers=2 bidirectional".write(
            toFile: file, atomically: true, encoding: .utf8)
        let report = try BatonProcess(["bench", "kernels", "--shapes", file, "--seconds", "0", "--json"]).json()
        let rows = try #require(report["rows"] as? [[String: Any]])
        #expect(rows.map { $0["cell"] as? String } == ["lstm", "gru", "gru"])
        #expect(rows.map { $0["hidden"] as? Int } == [5, 17, 5])
        #expect(rows.last?["shape"] as? String == "gru 3 2 4 5 layers=2 bidirectional")
        for row in rows {
            #expect(row["read_bound"] is Bool && row["layers"] is Int && row["bidirectional"] is Bool)
            #expect(row["exceeds_peak"] as? Bool == false)
            for name in ["weight_bytes", "operations"] { #expect(try #require(row[name] as? Double) > 0) }
            #expect(try #require(row["peak_gflops"] as? Double) > 0)
            let results = try #require(row["results"] as? [[String: Any]])
            #expect(results.map { $0["kernels"] as? String } == ["packed", "blas"])
            for result in results {
                let reads = try #require(result["reads"] as? [String: Double])
                #expect(reads.count == 5 && reads.values.allSatisfy { $0 > 0 && $0.isFinite })
                for pass in ["inference", "training"] {
                    let figures = try #require(result[pass] as? [String: Double])
                    #expect(Set(figures.keys) == ["gflops", "seconds", "share_of_peak", "share_on_core"])
                    #expect(figures.values.allSatisfy { $0 > 0 && $0.isFinite })
                }
            }
        }
        let table = try BatonProcess(["bench", "kernels", "--shapes", file, "--seconds", "0", "--kernels", "blas"])
        #expect(table.status == 0)
        for word in ["OpenBLAS core", "FMA peak", "blas, GF/s", "lstm"] { #expect(table.output.contains(word)) }
        #expect(!table.output.contains("packed"))
    }

    @Test func withoutStatesTheFirstStepHasNoHiddenProduct() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.file("shapes.txt")
        try "lstm 3 2 4 5\nrnn_tanh 1 2 4 5\n".write(toFile: file, atomically: true, encoding: .utf8)
        let arguments = ["bench", "kernels", "--shapes", file, "--seconds", "0", "--json"]
        func operations(_ flags: [String]) throws -> [Double?] {
            let report = try BatonProcess(arguments + flags).json()
            #expect(report["zero_states"] as? Bool == !flags.isEmpty)
            return try #require(report["rows"] as? [[String: Any]]).map { $0["operations"] as? Double }
        }
        // 2 · gate rows · 2 rows · (4 columns · T + 5 columns · T or T − 1)
        #expect(try operations([]) == [2 * 20 * 2 * 27, 2 * 5 * 2 * 9])
        #expect(try operations(["--zero-states"]) == [2 * 20 * 2 * 22, 2 * 5 * 2 * 4])
    }

    @Test(arguments: ["bfloat16", "int8"])
    func reducedPrecisionIsMeasuredInInference(precision: String) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.file("shapes.txt")
        try "lstm 2 3 4 5 layers=2 bidirectional\ngru 1 1 2 17\n".write(toFile: file, atomically: true, encoding: .utf8)
        let arguments = ["bench", "kernels", "--shapes", file, "--seconds", "0", "--precision", precision]
        let report = try BatonProcess(arguments + ["--json"]).json()
        #expect(report["precision"] as? String == precision)
        let rows = try #require(report["rows"] as? [[String: Any]])
        #expect(rows.count == 2)
        for row in rows {
            let results = try #require(row["results"] as? [[String: Any]])
            #expect(results.map { $0["kernels"] as? String } == ["packed"] && results[0]["training"] == nil)
            let figures = try #require(results[0]["inference"] as? [String: Double])
            #expect(figures.count == 4 && figures.values.allSatisfy { $0 > 0 && $0.isFinite })
        }
        let refused = try BatonProcess(arguments + ["--kernels", "packed,blas"])
        #expect(refused.status == 2 && refused.error.contains("leave blas out of --kernels"))
    }

    @Test func shapesAreListedAndNotMeasured() throws {
        let run = try BatonProcess(["bench", "kernels", "--list-shapes"])
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n")
        #expect(lines.contains("lstm 50 1 512 512") && lines.allSatisfy { $0.split(separator: " ").count >= 5 })
    }

    @Test func latencyReportsPercentilesAndReads() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.file("shapes.txt")
        let shapes = "lstm 1 2 4 5\ngru 3 1 2 17 layers=2\nrnn_relu 1 1 1 1\nrnn_tanh 2 1 3 4\n"
        try shapes.write(toFile: file, atomically: true, encoding: .utf8)
        let arguments = ["bench", "latency", "--shapes", file, "--seconds", "0"]
        let report = try BatonProcess(arguments + ["--json"]).json()
        let rows = try #require(report["rows"] as? [[String: Any]])
        #expect(rows.map { $0["steps"] as? Int } == [1, 3, 1, 2])
        for row in rows {
            #expect(row["calls"] as? Int == 100)
            let times = try #require(row["microseconds_per_step"] as? [String: Double])
            let order = ["best", "p50", "p90", "p99", "max"].compactMap { times[$0] }
            #expect(order.count == 5 && order == order.sorted() && order[0] > 0)
            let reads = try #require(row["reads"] as? [String: Double])
            #expect(reads.values.allSatisfy { $0 > 0 && $0.isFinite })
        }
        let table = try BatonProcess(arguments)
        #expect(table.status == 0)
        for word in ["p50", "p99", "read %", "gru 3 1 2 17 layers=2"] { #expect(table.output.contains(word)) }
        try "lstm 1 1 4 4 bidirectional\n".write(toFile: file, atomically: true, encoding: .utf8)
        let refused = try BatonProcess(arguments)
        #expect(refused.status == 1 && refused.error.contains("bidirectional") && refused.output == "")
    }

    @Test func cellsAreSetBesideTheLayersTheyEqual() throws {
        let arguments = [
            "bench", "cells", "--steps", "2", "--batch", "3", "--input", "4", "--hidden", "4", "--seconds", "0",
        ]
        let report = try BatonProcess(arguments + ["--json"]).json()
        let rows = try #require(report["rows"] as? [[String: Any]])
        #expect(rows.count == 12)
        for row in rows {
            for pass in ["inference", "training"] {
                let times = try #require(row[pass] as? [String: Double])
                let isFusible = (row["network"] as? String).map { $0.hasPrefix("LSTM") && !$0.contains("residual") }
                #expect(isFusible != true || times["layer_seconds"] != nil)
                #expect(times.keys.contains("hybridized_seconds") && times.keys.contains("stepped_seconds"))
                #expect(times.values.allSatisfy { $0 > 0 && $0.isFinite })
            }
        }
        let table = try BatonProcess(arguments)
        #expect(table.status == 0 && table.output.contains("to layer") && table.output.contains("Zoneout of LSTM"))
        #expect(try BatonProcess(["bench", "cells", "--hidden", "0"]).status == 2)
    }

    @Test func lengthsReportsTheCostOfEveryDistribution() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.file("shapes.txt")
        try "lstm 8 3 4 5 layers=2 bidirectional\n".write(toFile: file, atomically: true, encoding: .utf8)
        let arguments = ["bench", "lengths", "--shapes", file, "--seconds", "0", "--kernels", "packed"]
        let report = try BatonProcess(arguments + ["--json"]).json()
        let rows = try #require(report["rows"] as? [[String: Any]])
        #expect(rows.map { $0["lengths"] as? String } == ["uniform", "halves", "one long"])
        for row in rows {
            #expect(row["kernels"] as? String == "packed" && row["steps"] as? Int == 8)
            #expect(row["shape"] as? String == "lstm 8 3 4 5 layers=2 bidirectional")
            let share = try #require(row["share_of_rows"] as? Double)
            #expect(share > 0 && share < 1)
            for pass in ["inference", "training"] {
                let figures = try #require(row[pass] as? [String: Double])
                #expect(Set(figures.keys) == ["seconds", "full_seconds", "cost_ratio"])
                #expect(figures.values.allSatisfy { $0 > 0 && $0.isFinite })
            }
        }
        let table = try BatonProcess(arguments)
        #expect(table.status == 0 && table.output.contains("one long") && table.output.contains("packed"))
    }

    @Test func lengthsAreTheSameOnEveryRun() {
        let shape = KernelShape(cell: .gru, steps: 50, batch: 32, input: 4, hidden: 4)
        for distribution in LengthDistribution.allCases {
            let lengths = distribution.lengths(shape)
            #expect(lengths == distribution.lengths(shape))
            #expect(lengths.count == 32 && lengths.allSatisfy { 1...50 ~= $0 })
        }
        #expect(Set(LengthDistribution.uniform.lengths(shape)).count > 10)
        #expect(LengthDistribution.oneLong.lengths(shape).filter { $0 == 50 }.count == 1)
    }

    @Test func reducedPrecisionReadsLessAndSaysWhatItCosts() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.file("shapes.txt")
        try "lstm 1 2 16 32\n".write(toFile: file, atomically: true, encoding: .utf8)
        // A weight of f32 is off by 2⁻²⁴ of itself, of bfloat16 by 2⁻⁹, of int8 by 1/254 of the greatest of its row.
        for (precision, bytes, errors) in [
            ("float32", 4.0, 1e-9...1e-5), ("bfloat16", 2, 1e-5...2e-2), ("int8", 1, 1e-4...5e-2),
        ] {
            let report = try BatonProcess(
                ["bench", "latency", "--shapes", file, "--seconds", "0", "--precision", precision, "--json"]
            ).json()
            let row = try #require((report["rows"] as? [[String: Any]])?.first)
            let reads = try #require(row["reads"] as? [String: Double])
            #expect(reads["bytes_per_step"] == Double(4 * 32 * (16 + 32)) * bytes)
            #expect(errors.contains(try #require(row["relative_error"] as? Double)), "\(precision)")
        }
    }

    @Test func trainReportsRatesAndParts() throws {
        let arguments = [
            "bench", "train", "--hidden", "8", "--batch", "2", "--steps-per-window", "3", "--seconds", "0",
        ]
        let report = try BatonProcess(arguments + ["--model", "gru", "--json"]).json()
        let figures = try #require((report["figures"] as? [[String: Any]])?.first)
        #expect(figures["ranks"] as? String == "coupled")
        #expect(figures["steps"] as? Int == 3)
        #expect(try #require(figures["tokens_per_second"] as? Double) > 0)
        #expect((figures["step_milliseconds"] as? [String: Double])?.count == 5)
        let text = try BatonProcess(arguments + ["--independent"])
        #expect(text.status == 0)
        #expect(text.output.contains("lstm 2×8") && text.output.contains("independent"))
    }

    @Test(arguments: ["auto", "shard=2"])
    func scalingComparesADividedStackWithItsCeiling(layout: String) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(
            [
                "bench", "scaling", "--layers", "3", "--hidden", "8", "--steps", "5", "--batch", "1,3", "--seconds",
                "0",
                "--model", "gru", "--json", "--layout", layout,
            ], ranks: 2)
        #expect(run.status == 0, "\(run.error)")
        #expect(try run.json()["layout"] as? String == (layout == "auto" ? "pp=2" : layout))
        let rows = try #require(try run.json()["rows"] as? [[String: Any]])
        #expect(rows.map { $0["batch"] as? Int } == [1, 3])
        for row in rows {
            #expect(row["same_bits"] as? Bool == true)
            for figure in [
                "alone", "independent", "divided", "ceiling", "speedup", "share_of_ceiling", "share_of_slowest",
                "alone_milliseconds", "divided_milliseconds", "stream_milliseconds",
            ] {
                #expect(try #require(row[figure] as? Double) > 0)
            }
        }
    }

    @Test(
        arguments: [
            ["kernels", "--kernels", "mkl"], ["kernels", "--seconds", "-1"], ["kernels", "--seconds", "nan"],
            ["kernels", "--list-shapes", "--json"], ["kernels", "--list-shapes", "--zero-states"],
            ["kernels", "--list-shapes", "--precision", "int8"], ["kernels", "--precision", "float16"],
            ["latency", "--seconds", "-1"], ["latency", "--kernels", "blas"],
            ["lengths", "--kernels", "mkl"], ["lengths", "--seconds", "-1"],
            ["scaling"], ["scaling", "--batch", "1,,2"], ["scaling", "--layout", "shard=2"],
            ["train", "--layers", "0"], ["train", "--dropout", "1"], ["train", "--compare"],
            ["train", "--independent", "--compare"], ["fly"],
        ])
    func badUsageIsRefused(arguments: [String]) throws {
        let run = try BatonProcess(["bench"] + arguments)
        #expect(run.status == 2, "\(run.error)")
        #expect(run.output == "")
    }

    @Test func whatCannotBeMeasuredFails() throws {
        let absent = try BatonProcess(["bench", "kernels", "--shapes", "absent.txt"])
        #expect(absent.status == 1 && absent.error.contains("absent.txt"))
        let huge = try BatonProcess(["bench", "train", "--batch", "1000000", "--steps-per-window", "1000000"])
        #expect(huge.status == 1 && huge.error.contains("GiB"))
    }
}
