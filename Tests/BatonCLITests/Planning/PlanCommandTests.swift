import Foundation
import Testing

@testable import BatonCLI

/// `plan` and `--layout auto` as a user calls them.
@Suite(.serialized) struct PlanCommandTests {
    private let model = ["--layers", "2", "--hidden", "9", "--embed", "4", "--batch", "6", "--steps-per-window", "8"]

    @Test func aPlanListsEveryLayoutBestFirst() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(["plan", "--check", "--seconds", "0", "--json"] + model, ranks: 2)
        #expect(run.status == 0, "\(run.error)")
        let report = try run.json()
        let rows = try #require(report["layouts"] as? [[String: Any]])
        let names = rows.map { "\($0["layout"] ?? "") \($0["schedule"] ?? "-")" }
        #expect(Set(names) == ["dp=2 -", "pp=2 wavefront", "pp=2 gpipe", "pp=2 1f1b", "shard=2 -"] && names.count == 5)
        let times = rows.compactMap { $0["milliseconds_per_step"] as? Double }
        #expect(times.count == 5 && times == times.sorted())
        // What is about equally fast has been tried, and one layout is chosen.
        #expect(rows.count { $0["is_chosen"] as? Bool == true } == 1)
        let tried = rows.filter { $0["trial_milliseconds_per_step"] as? Double ?? 0 > 0 }
        #expect(tried.isEmpty || tried.contains { $0["is_chosen"] as? Bool == true })
        #expect(rows.allSatisfy { $0["measured_milliseconds_per_step"] as? Double ?? 0 > 0 })
        #expect(rows.allSatisfy { $0["bytes_per_rank"] as? Double ?? 0 > 1e6 })
        let check = try #require(report["check"] as? [String: Double])
        #expect(check["auto_over_best"] ?? 0 >= 1 && check["worst_prediction"] ?? 0 > 0)
        #expect(rows.allSatisfy { $0["measured_bytes_per_rank"] as? Double ?? 0 > 1e6 })
        #expect(rows.allSatisfy { $0["predicted_over_measured"] as? Double ?? 0 > 0 })
        let text = try folder.baton(["plan", "--all"] + model, ranks: 2)
        #expect(text.output.contains("best: ") && text.output.contains("wavefront 4 chunks"))
        // What is measured is said before it is.
        #expect(text.output.hasPrefix("lstm 2×9, embedding 4, vocabulary 65; batch 6 × 8 on 2 ranks; measuring\n"))
    }

    @Test func manyConfigurationsComeFromAFileAndAreSummedUp() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let file = folder.path("configurations")
        try
            "# two\n\n\(model.joined(separator: " "))\n--model gru --hidden 7 --layers 1 --batch 3 --embed 4 --recompute\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let run = try folder.baton(["plan", "--configurations", file, "--seconds", "0", "--json"], ranks: 2)
        #expect(run.status == 0, "\(run.error)")
        let survey = try run.json()
        #expect(survey["configurations"] as? Int == 2 && survey["layouts"] as? Int == 6)
        let plans = try #require(survey["plans"] as? [[String: Any]])
        // Shards keep their gates.
        let second = try #require(plans[1]["layouts"] as? [[String: Any]])
        #expect(second.count == 1 && second[0]["layout"] as? String == "dp=2")
        let text = try folder.baton(["plan", "--configurations", file, "--seconds", "0"], ranks: 2)
        #expect(text.output.contains("2 configurations: the layout chosen within 5 %"))
    }

    @Test(arguments: [
        ("--layer 2", "Unknown option '--layer'."),
        ("--hidden x", "The value 'x' is invalid for '--hidden <hidden>', expected a whole number up to \(Int.max)."),
        ("--hidden -1", "--hidden is -1, expected 1 to 1000000."),
        ("--hidden 900000 --batch 900000", "A rank would need about"),
    ])
    func aWrongLineOfAFileIsNamed(line: String, sentence: String) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let file = folder.path("configurations")
        try "--hidden 7\n\(line)\n".write(toFile: file, atomically: true, encoding: .utf8)
        let run = try folder.baton(["plan", "--ranks", "1", "--configurations", file])
        #expect(run.status == 1)
        #expect(run.error.hasPrefix("baton: \(file), line 2: \(sentence)"), "\(run.error)")
        #expect(run.error.hasSuffix(". A line holds flags of plan, for instance '--hidden 128 --batch 8'.\n"))
    }

    @Test func benchTrainsWithGatesComputedAgainAndPrintsMemory() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let options = ["bench", "train", "--hidden", "9", "--steps-per-window", "40", "--seconds", "0", "--json"]
        let again = try folder.baton(options + ["--layout", "pp=2", "--recompute-chunk", "4"], ranks: 2)
        #expect(again.status == 0, "\(again.error)")
        let report = try again.json()
        #expect(report["recomputation"] as? String == "chunks(of: 4)" && report["output_layer"] as? String == "last")
        let spread = try folder.baton(options + ["--layout", "pp=2", "--output-layer", "spread"], ranks: 2).json()
        #expect(spread["recomputation"] == nil && spread["output_layer"] as? String == "spread")
        #expect((report["peak_megabytes"] as? [Double])?.count == 2)
        #expect(report["predicted_megabytes"] as? Double ?? 0 > 1)
        let shards = try folder.baton(options + ["--layout", "shard=2", "--recompute"], ranks: 2)
        #expect(shards.status != 0 && shards.error.contains("shards hidden units"))
    }

    /// Of steps that take long there are few, and of short ones as many as decide.
    @Test(arguments: [(0.01, 8, 3), (0.3, 8, 3), (0.5, 8, 1), (2.0, 4, 1), (60.0, 3, 1)])
    func aTrialOfLongStepsIsShort(once: Double, turns: Int, steps: Int) {
        let length = LayoutTrial.length(once: once)
        #expect(length.turns == turns && length.steps == steps)
    }

    /// Where parameters count most: steps of one or two rows. What comes out is what the process really held.
    @Test(arguments: [["--layers", "2", "--batch", "1"], ["--layers", "1", "--batch", "2"]])
    func memoryIsPredictedWhereRowsAreFew(shape: [String]) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(
            ["plan", "--check", "--seconds", "0", "--json", "--hidden", "448", "--steps-per-window", "16"] + shape,
            ranks: 2)
        #expect(run.status == 0, "\(run.error)")
        let rows = try #require(run.json()["layouts"] as? [[String: Any]])
        #expect(rows.count > 1)
        for row in rows {
            let predicted = try #require(row["bytes_per_rank"] as? Double)
            let measured = try #require(row["measured_bytes_per_rank"] as? Double)
            #expect(0.88...1.12 ~= predicted / measured, "\(row["layout"] ?? "") \(predicted) \(measured)")
        }
    }

    @Test func planStartsItsRanks() throws {
        let run = try TrainingFolder().baton(["plan", "--ranks", "2", "--json"] + model)
        #expect(run.status == 0, "\(run.error)")
        #expect(try run.json()["ranks"] as? Int == 2)
        let wrong = try BatonProcess(["plan", "--ranks", "0"])
        #expect(wrong.status == 2 && wrong.error.contains("--ranks is 0"))
    }

    @Test func autoPicksALayoutAndComparesItWithWhatCameOut() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let options = ["--layers", "2"] + TrainingFolder.options.dropFirst(2)
        let run = try folder.baton(folder.train(out: "auto", ["--layout", "auto"], options: options), ranks: 2)
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("layout auto: ") && run.output.contains("predicted / measured"))
        let alone = try folder.baton(folder.train(out: "alone", options: options))
        #expect(alone.status == 0 && !alone.output.contains("layout auto: "))
        #expect(try folder.bits("auto") == folder.bits("alone"))
        let bench = try folder.baton(
            ["bench", "train", "--layout", "pp=2", "--global-batch", "4", "--seconds", "0"]
                + ["--hidden", "9", "--steps-per-window", "8"], ranks: 2)
        #expect(bench.status == 0 && bench.output.contains("pp=2: predicted"))
    }
}
