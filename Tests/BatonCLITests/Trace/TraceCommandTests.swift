import Foundation
import Testing

/// `--trace` as a user calls it.
@Suite(.serialized) struct TraceCommandTests {
    private struct Event: Decodable {
        var name: String
        var ph: String
        var pid: Int
        var tid: Int
        var ts: Double?
        var dur: Double?
        var args: Arguments
    }
    private struct Arguments: Decodable {
        var name: String?
        var step: Int?
    }

    private func events(_ path: String) throws -> [Event] {
        try JSONDecoder().decode([Event].self, from: Data(contentsOf: URL(filePath: path)))
    }

    @Test(arguments: [("dp=2", 2, ["rank 0 (dp 0)", "rank 1 (dp 1)"]), ("pp=3", 3, ["rank 2 (pp 2)"])])
    func aTraceIsAnArrayOfEventsOfAllRanks(layout: String, ranks: Int, names: [String]) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let file = folder.path("trace.json")
        let run = try folder.baton(
            folder.train(
                out: "run", ["--layers", "3", "--layout", layout, "--trace", file, "--trace-steps", "4"],
                options: Array(TrainingFolder.options.dropFirst(2))), ranks: ranks)
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("trace of 4 steps") && run.output.contains("exposed communication"))
        let events = try events(file)
        let processes = events.filter { $0.name == "process_name" }.compactMap(\.args.name)
        #expect(processes.count == ranks && Set(processes).isSuperset(of: names))
        let complete = events.filter { $0.ph == "X" }
        #expect(complete.allSatisfy { $0.ts ?? -1 >= 0 && $0.dur ?? -1 >= 0 })
        #expect(events.allSatisfy { $0.ph == "X" || $0.ph == "M" })
        // After two steps that warm up.
        #expect(Set(complete.compactMap(\.args.step)) == [3, 4, 5, 6])
        for rank in 0..<ranks {
            let own = complete.filter { $0.pid == rank }
            #expect(own.count { $0.name.hasPrefix("step ") } == 4)
            #expect(own.count { $0.name == (layout == "dp=2" ? "backward" : "\(rank)W0") } == 4)
        }
    }

    /// The run's directory, which is made after the file is looked at.
    @Test func aTraceMayLieInTheRunAndNotTakeItsPlace() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let within = try folder.baton(folder.train(out: "run", ["--trace", folder.path("run/") + "trace.json"]))
        #expect(within.status == 0, "\(within.error)")
        #expect(try !events(folder.path("run/trace.json")).isEmpty)
        let again = try folder.baton(folder.train(out: "again", ["--trace", folder.path("run/trace.json")]))
        #expect(again.status == 0, "\(again.error)")
        let same = try folder.baton(folder.train(out: "other", ["--trace", folder.path("other")]))
        #expect(same.status == 1 && same.error.contains("is the directory of the run"), "\(same.error)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("other")))
    }

    @Test func benchTrainTracesALayout() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let file = folder.path("trace.json")
        let run = try folder.baton(
            [
                "bench", "train", "--hidden", "8", "--global-batch", "4", "--steps-per-window", "6", "--seconds", "0",
                "--layout", "pp=2", "--chunks", "3", "--compare", "--trace", file, "--trace-steps", "2", "--json",
            ], ranks: 2)
        #expect(run.status == 0, "\(run.error)")
        let report = try run.json()
        #expect(
            report["layout"] as? String == "pp=2" && report["schedule"] as? String == "wavefront"
                && report["cuts"] as? String == "1×3")
        let compared = try #require(report["compared"] as? [String: Any])
        for name in ["efficiency", "efficiency_of_slowest"] { #expect(try #require(compared[name] as? Double) > 0) }
        let rows = try #require((report["trace"] as? [String: Any])?["rows"] as? [[String: Any]])
        #expect(rows.map { $0["rank"] as? String } == ["rank 0 (pp 0)", "rank 1 (pp 1)", "all"])
        #expect(try events(file).count { $0.name == "1B0.2" } == 2)
    }

    @Test func whatCannotBeTracedIsRefused() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let steps = try folder.baton(folder.train(out: "run", ["--trace-steps", "3"]))
        #expect(steps.status == 2 && steps.error.contains("--trace FILE"))
        let absent = try folder.baton(folder.train(out: "run", ["--trace", folder.path("absent/trace.json")]))
        #expect(absent.status == 1 && absent.error.contains("absent"))
        let text = try String(contentsOfFile: folder.text, encoding: .utf8)
        let data = try folder.baton(folder.train(out: "run", ["--trace", folder.text]))
        #expect(data.status == 1 && data.error.contains("is a file already, and no trace"), "\(data.error)")
        #expect(try String(contentsOfFile: folder.text, encoding: .utf8) == text)
        let device = try folder.baton(folder.train(out: "run", ["--trace", "/dev/tty"]))
        #expect(device.status == 1 && device.error.contains("/dev/tty"), "\(device.error)")
        for name in ["metrics.csv", "./config.json", "checkpoints/step-00000014.safetensors"] {
            let own = try folder.baton(folder.train(out: "run", ["--trace", folder.path("run/") + name]))
            #expect(own.status == 1 && own.error.contains("would replace a file of the run"), "\(own.error)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
        let alone = try folder.baton(["bench", "train", "--independent", "--layout", "dp=1"])
        #expect(alone.status == 2 && alone.error.contains("coupled"))
        let chunks = try folder.baton(["bench", "train", "--chunks", "3"])
        #expect(chunks.status == 2 && chunks.error.contains("--layout"))
    }
}
