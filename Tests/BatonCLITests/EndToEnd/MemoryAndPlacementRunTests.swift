import Foundation
import Testing

/// The flags of `train` that decide memory and places, not numbers.
@Suite(.serialized) struct MemoryAndPlacementRunTests {
    @Test func recomputedAndSpreadRunsHaveTheBitsOfPlainOnesAndMayBeResumedWithout() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let layers = ["--layers", "2"]
        let options = TrainingFolder.options.dropFirst(2) + layers
        func train(_ out: String, _ more: [String], ranks: Int = 1) throws {
            let run = try folder.baton(folder.train(out: out, more, options: Array(options)), ranks: ranks)
            #expect(run.status == 0, "\(run.error)")
            #expect(run.output.contains("peak memory "))
        }
        try train("plain", [])
        try train("chunks", ["--recompute-chunk", "3", "--stop-at-step", "9"])
        #expect(try folder.baton(folder.resume("chunks", ["--recompute"])).status == 0)
        #expect(try folder.bits("chunks") == folder.bits("plain"))
        try train(
            "spread", ["--layout", "pp=2", "--output-layer", "spread", "--recompute-chunk", "4"], ranks: 2)
        #expect(try folder.bits("spread") == folder.bits("plain"))
    }

    @Test(arguments: [
        (["--recompute-chunk", "0"], "--recompute-chunk is 0"),
        (["--output-layer", "spread"], "--output-layer spread is about pipeline stages"),
        (["--output-layer", "all"], "all"),
    ])
    func mistakesAreWrongUsage(flags: [String], words: String) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(folder.train(out: "run", flags))
        #expect(run.status == 2)
        #expect(run.error.contains(words), "\(run.error)")
    }
}
