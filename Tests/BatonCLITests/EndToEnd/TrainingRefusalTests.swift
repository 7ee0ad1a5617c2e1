import Foundation
import Testing

/// Bad input to `train`, `eval` and `generate`: one sentence, the right status, nothing written, no hang.
@Suite(.serialized) struct TrainingRefusalTests {
    /// Expects a refusal with all of the words that leaves the folder as it was.
    private func expectRefusal(
        _ folder: TrainingFolder, _ arguments: [String], status: Int32 = 1, saying words: String...,
        environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try Self.content(folder)
        let run = try folder.baton(arguments, environment: environment)
        #expect(run.status == status, "\(run.output)\(run.error)", sourceLocation: sourceLocation)
        let sentences = run.error.split(separator: "\n").filter { !$0.hasPrefix("See ") }
        #expect(sentences.count == 1 && run.error.hasPrefix("baton: "), "\(run.error)", sourceLocation: sourceLocation)
        for word in words { #expect(run.error.contains(word), "\(run.error)", sourceLocation: sourceLocation) }
        #expect(run.output == "", sourceLocation: sourceLocation)
        #expect(try Self.content(folder) == before, sourceLocation: sourceLocation)
    }

    /// Every file below the folder with its bytes.
    private static func content(_ folder: TrainingFolder) throws -> [String: Data] {
        var result: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.folder.path) {
            result[name] = FileManager.default.contents(atPath: folder.path(name)) ?? Data()
        }
        return result
    }

    @Test func textsThatCannotBeTrainedOn() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let bad: [(name: String, bytes: [UInt8]?, word: String)] = [
            ("missing", nil, "There is no file"), ("empty", [], "is empty"), ("mark", [0xEF, 0xBB, 0xBF], "is empty"),
            ("binary", [0x61, 0xFF, 0xFE, 0x61], "not UTF-8"), ("short", Array("abcdefgh".utf8), "8 tokens"),
        ]
        for (name, bytes, word) in bad {
            if let bytes { try Data(bytes).write(to: URL(filePath: folder.path(name))) }
            let arguments = ["train", "--data", folder.path(name), "--valid-split", "0", "--out", folder.path("run")]
            try expectRefusal(folder, arguments + TrainingFolder.options, saying: word)
        }
        try expectRefusal(
            folder, ["train", "--data", "/dev/null", "--out", folder.path("run")], saying: "pipe or device")
        // Both an epoch and a fixed number of steps have to look at the text.
        try expectRefusal(
            folder, ["train", "--data", folder.path("short"), "--out", folder.path("run")],
            saying: "64 lanes of 64 steps")
        try expectRefusal(
            folder, ["train", "--data", folder.path("short"), "--valid-split", "0.5", "--out", folder.path("run")],
            saying: "Of 8 tokens --valid-split keeps 4 for validation. The text has 4 tokens where")
    }

    @Test(arguments: [
        (["--bogus"], "--bogus"), (["--layout", "dp=3"], "needs 3 ranks"), (["--layout", "pp=2"], "needs 2 ranks"),
        (["--layout", "tp=2"], "tp=2"), (["--layout", "shard=2"], "needs 2 ranks"),
        (["--layout", "dir=2"], "has one direction"),
        (["--schedule", "gpipe"], "pp of at least 2"), (["--schedule", "zigzag"], "zigzag"),
        (["--layout", "dp=0"], "dp=0"), (["--hidden", "0"], "--hidden"), (["--hidden", "many"], "many"),
        (["--lr", "nan"], "--lr"), (["--clip", "inf"], "--clip"), (["--dropout", "1"], "--dropout"),
        (["--epochs", "1"], "not both"), (["--lr-schedule", "linear:2"], "linear:2"), (["--model", "cnn"], "cnn"),
        (["--stop-at-step", "0"], "--stop-at-step"), (["--task", "classify"], "classify"),
        (["--valid-split", "1"], "--valid-split"), (["--seed", "-1"], "--seed"),
        (["--momentum", "0.9"], "sgd"), (["--momentum", "0.9", "--optimizer", "adamw"], "adamw"),
    ])
    func flagsThatMeanNothing(flags: [String], word: String) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        try expectRefusal(folder, folder.train(out: "run", flags), status: 2, saying: word)
    }

    @Test func figuresBeyondAnyMachine() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        try expectRefusal(folder, folder.train(out: "run", ["--hidden", "16000000"]), saying: "GB of memory")
        try expectRefusal(folder, folder.train(out: "run", ["--hidden", "1000000000000"]), saying: "hidden size")
        try expectRefusal(
            folder, folder.train(out: "run", ["--max-steps", "1000000000000"]), saying: "length of the run")
        try expectRefusal(
            folder, folder.train(out: "run", ["--batch", "1000000000000"]), saying: "The batch is 1000000000000")
        let forever = Array(TrainingFolder.options.dropLast(2)) + ["--epochs", String(Int.max)]
        try expectRefusal(folder, folder.train(out: "run", options: forever), saying: "length of the run")
    }

    @Test func environmentThatMeansNothing() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        try expectRefusal(folder, folder.train(out: "run"), saying: "sse9", environment: ["BATON_ISA": "sse9"])
        try expectRefusal(folder, folder.train(out: "run"), saying: "cuda", environment: ["BATON_KERNELS": "cuda"])
    }

    @Test func directoriesAndRunsThatDoNotFit() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        try expectRefusal(folder, folder.train(out: "text/run"), saying: "text/run")
        try expectRefusal(folder, folder.train(out: "run", ["--resume"]), saying: "no checkpoint to resume from")
        try expectRefusal(folder, ["eval", folder.path("run"), "--data", folder.text], saying: "There is no run")
        try expectRefusal(folder, ["generate", folder.path("run")], saying: "There is no run")

        #expect(try folder.baton(folder.train(out: "run", ["--stop-at-step", "5"])).status == 0)
        try expectRefusal(folder, folder.train(out: "run"), saying: "already holds a run", "--resume")
        try expectRefusal(
            folder, folder.resume("run", ["--hidden", "18"]), saying: "\"hidden\" : 18", "\"hidden\" : 17")
        try expectRefusal(folder, folder.resume("run", ["--tokens", "words"]), saying: "--tokens words")
        try expectRefusal(folder, folder.resume("run", ["--valid-split", "0.3"]), saying: "--valid-split 0.3", "0.1")
        try expectRefusal(
            folder, folder.resume("run") + ["--data", folder.text, folder.text], saying: "is not the one")

        try Data("the β".utf8).write(to: URL(filePath: folder.path("greek")))
        try expectRefusal(folder, ["eval", folder.path("run"), "--data", folder.path("greek")], saying: "U+3B2")
        try expectRefusal(folder, ["generate", folder.path("run"), "--prompt", "β"], saying: "U+3B2")
        try expectRefusal(
            folder, ["generate", folder.path("run"), "--prompt", ""], status: 2, saying: "--prompt is empty")
        try expectRefusal(
            folder, ["generate", folder.path("run"), "--temperature", "-1"], status: 2, saying: "--temperature")
        let dashed = try folder.baton(["generate", folder.path("run"), "--prompt", "-β"])
        #expect(dashed.status == 1 && !dashed.error.contains("Missing value"), "\(dashed.error)")
        try expectRefusal(folder, ["generate", folder.text], saying: folder.text)

        for name in try folder.checkpoints("run") {
            let file = URL(filePath: folder.path("run") + "/checkpoints/" + name)
            try Data(try Data(contentsOf: file).dropLast(100)).write(to: file)
        }
        try expectRefusal(folder, folder.resume("run"), saying: "can be used", "step-00000005")
        try expectRefusal(folder, ["generate", folder.path("run")], saying: "can be used", "step-00000005")
        try expectRefusal(
            folder, ["eval", folder.path("run") + "/checkpoints/step-00000005.safetensors", "--data", folder.text],
            saying: "step-00000005")
    }

    /// Two trainings in one directory would write over each other's logs and remove each other's checkpoints.
    @Test func aSecondTrainingInARunIsRefused() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        #expect(try folder.baton(folder.train(out: "run", ["--stop-at-step", "5"])).status == 0)
        try FileManager.default.createDirectory(atPath: folder.path("new"), withIntermediateDirectories: true)
        var holders = ["run", "new"].map { open(folder.path($0), O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { for holder in holders { close(holder) } }
        for holder in holders { #expect(flock(holder, LOCK_EX | LOCK_NB) == 0) }
        try expectRefusal(folder, folder.resume("run"), saying: "Another training", "run")
        try expectRefusal(folder, folder.train(out: "new"), saying: "Another training", "new")
        let ranks = try folder.baton(folder.resume("run"), ranks: 2)
        #expect(ranks.status == 1, "\(ranks.error)")
        #expect(ranks.error.split(separator: "\n").count == 1 && ranks.error.contains("Another training"))

        // One that is about to end, as the ranks of a job that was killed are, is waited for.
        let ending = holders.removeFirst()
        Thread.detachNewThread {
            usleep(700_000)
            close(ending)
        }
        let resumed = try folder.baton(folder.resume("run"))
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(try folder.bits("run").count == 21)
    }

    /// All ranks see it; one says it.
    @Test(arguments: [1, 3]) func aRunThatDivergesSaysSo(ranks: Int) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(
            folder.train(
                out: "run", ["--optimizer", "sgd", "--lr", "1e30", "--lr-schedule", "constant", "--clip", "0"]),
            ranks: ranks)
        #expect(run.status == 1)
        #expect(run.error.split(separator: "\n").count == 1 && run.error.contains("not finite"), "\(run.error)")
    }

    /// The others have nothing to add to what rank 0 says.
    @Test func aCheckpointThatCannotBeWrittenIsSaidOnce() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let place = folder.path("run") + "/checkpoints"
        let process = try folder.start(
            folder.train(out: "run", ["--checkpoint-every", "500", "--max-steps", "1000000"]), ranks: 3,
            errors: folder.path("errors"))
        for _ in 0..<600 where (try? folder.lines("run", "metrics.csv").count) ?? 0 < 10 { usleep(20_000) }
        try FileManager.default.removeItem(atPath: place)
        try Data().write(to: URL(filePath: place))
        for _ in 0..<1800 where process.isRunning { usleep(50_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        let error = try String(contentsOfFile: folder.path("errors"), encoding: .utf8)
        #expect(
            process.terminationStatus == 1 && error.hasPrefix("baton: ") && error.contains("checkpoints"), "\(error)")
        #expect(error.filter { $0 == "\n" }.count == 1, "\(error)")
    }

    @Test func runsWithoutCheckpointsAreNeitherBegunNorResumed() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        #expect(try folder.baton(folder.train(out: "run")).status == 0)
        try FileManager.default.removeItem(atPath: folder.path("run") + "/checkpoints")
        for arguments in [folder.train(out: "run"), folder.resume("run")] {
            let refused = try folder.baton(arguments)
            #expect(refused.status == 1 && refused.error.contains("another --out"), "\(refused.error)")
        }
    }

    @Test func aWaitLimitThatIsNoTimeIsSaidOnce() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        for limit in ["0", "nan"] {
            let refused = try folder.baton(["info"], ranks: 3, environment: ["BATON_WAIT_LIMIT": limit])
            #expect(refused.status == 1)
            #expect(refused.error == "baton: BATON_WAIT_LIMIT is '\(limit)', expected seconds from 1 to 1000000.\n")
        }
    }

    @Test func severalRanksRefuseTogether() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let refusals: [([String], Int32, String)] = [
            (["train", "--data", folder.path("missing"), "--out", folder.path("run")], 1, "There is no file"),
            (
                folder.train(out: "run", ["--layout", "dp=3"]), 2,
                "--layout dp=3 needs 3 ranks, but there are 2; start as many as it needs (launch/run -n 3)."
            ),
            (
                folder.train(out: "run", ["--batch", "1", "--layout", "dp=2"]), 2,
                "--layout dp=2: 2 ranks do not fit a batch of 1 lane, which has 1 leaf; use at most 1 rank or more lanes (--batch)."
            ),
            (
                folder.train(out: "run", ["--batch", "1"]), 1,
                "baton: 2 ranks do not fit a batch of 1 lane, which has 1 leaf; use at most 1 rank or more lanes (--batch)."
            ),
            (folder.resume("run"), 1, "no checkpoint"),
            (folder.train(out: "text/run"), 1, "text/run cannot be made: Not a directory;"),
        ]
        for (arguments, status, word) in refusals {
            let run = try folder.baton(arguments, ranks: 2)
            #expect(run.status == status, "\(run.error)")
            let sentences = run.error.split(separator: "\n").filter { $0.contains("baton: ") }
            #expect(sentences.count == 1 && sentences[0].contains(word), "\(run.error)")
            #expect(try folder.folder.names() == ["text"])
        }
    }

    @Test func ranksWithDifferentKernelsAreRefused() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let sets = try #require(folder.baton(["info", "--json"]).json()["available_isas"] as? [String])
        guard let best = sets.last, sets.count > 1 else {
            print("skipped: this processor has only one instruction set of ours")
            return
        }
        // Rank 0 notes when it left: mpirun (4.1.4) now and then takes a minute to end a job that has failed.
        let note = folder.path("note")
        let start = Date.now.timeIntervalSince1970
        let run = try folder.limited(
            [
                "mpirun", "--quiet", "--oversubscribe", "--bind-to", "none", "-n", "2", "bash", "-c",
                "[ $OMPI_COMM_WORLD_RANK = 0 ] || export BATON_ISA=baseline; \"$@\"; status=$?; "
                    + "[ $OMPI_COMM_WORLD_RANK != 0 ] || echo $status $(date +%s) > \(note); exit $status", "bash",
                try BatonProcess.executable().path,
            ] + folder.train(out: "run"),
            environment: [
                "BATON_ISA": best, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            ])
        let left = try String(contentsOfFile: note, encoding: .utf8).split(separator: " ")
        #expect(left[0] == "1" && run.status != 0)
        #expect(run.error.contains("BATON_ISA") && run.error.contains("'baseline'") && run.error.contains("'\(best)'"))
        #expect(run.error.split(separator: "\n").filter { $0.contains("baton: ") }.count == 1, "\(run.error)")
        #expect(try folder.folder.names() == ["note", "text"])
        // Half a second on an idle machine; far from the limit of a rank that waits.
        #expect(try #require(Double(left[1].dropLast())) - start < 15)
    }
}
