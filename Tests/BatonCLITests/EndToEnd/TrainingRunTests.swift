import Foundation
import Testing

/// `train`, `eval` and `generate` as a user calls them.
@Suite(.serialized) struct TrainingRunTests {
    @Test func aRunLeavesWhatTheContractSays() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(folder.train(out: "run"))
        #expect(run.status == 0, "\(run.error)")
        #expect(run.error == "")
        let lines = try folder.lines("run", "metrics.csv")
        #expect(
            lines[0].hasPrefix(
                "step,loss,loss_bits,grad_norm,grad_norm_bits,param_hash,tokens,rows_this_rank,seconds"))
        let rows = lines.dropFirst().map { $0.split(separator: ",").map(String.init) }
        #expect(rows.map { $0[0] } == (1...20).map(String.init))
        for row in rows {
            #expect(UInt64(row[2], radix: 16) == Double(row[1])?.bitPattern)
            #expect(UInt64(row[4], radix: 16) == Double(row[3])?.bitPattern)
            #expect(UInt64(row[5], radix: 16) != nil && row[2].count == 16 && row[4].count == 16 && row[5].count == 16)
            #expect(row[6] == "60" && row[7] == "6")
            #expect(try #require(Double(row[8])) > 0)
        }
        #expect(Set(rows.map { $0[5] }).count == 20)
        // Before the first step, after the epoch of 17 windows, and at the end.
        #expect(
            try folder.lines("run", "validation.csv").dropFirst().map { $0.prefix { $0 != "," } } == ["0", "17", "20"])
        #expect(
            try TemporaryFolder.names(folder.path("run")) == [
                "checkpoints", "config.json", "loss.svg", "metrics.csv", "samples.txt", "validation.csv",
            ])
        #expect(try folder.checkpoints("run") == ["step-00000017.safetensors", "step-00000020.safetensors"])
        #expect(try folder.lines("run", "loss.svg")[0].contains("svg"))
        #expect(run.output.contains("parameters \(rows[19][5])"))
    }

    @Test func stoppingAndResumingChangesNoBit() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        // The split is a flag of the run too: it need not be repeated.
        let split = ["--valid-split", "0.25"]
        #expect(try folder.baton(folder.train(out: "whole", split)).status == 0)
        #expect(try folder.baton(folder.train(out: "parts", split + ["--stop-at-step", "10"])).status == 0)
        #expect(try folder.bits("parts").count == 11)
        let rest = try folder.baton(folder.resume("parts"))
        #expect(rest.status == 0, "\(rest.error)")
        #expect(rest.output.contains("resumed after step 10"))
        #expect(try folder.bits("parts") == folder.bits("whole"))
        #expect(
            try folder.lines("parts", "validation.csv").last == folder.lines("whole", "validation.csv").last)
    }

    /// A training that is killed while it makes a sample has the checkpoint of the step already.
    @Test(arguments: [1, 2]) func aSampleThatIsMissingIsMade(ranks: Int) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        #expect(try folder.baton(folder.train(out: "run", ["--max-steps", "17", "--sample", "20"])).status == 0)
        let samples = try folder.lines("run", "samples.txt")
        try FileManager.default.removeItem(atPath: folder.path("run") + "/samples.txt")
        let none = try folder.baton(folder.resume("run", ["--sample", "0"]), ranks: ranks)
        #expect(none.status == 0 && !none.output.contains("--- sample"), "\(none.error)")
        let again = try folder.baton(folder.resume("run", ["--sample", "20"]), ranks: ranks)
        #expect(again.status == 0 && again.output.contains("--- sample after epoch 1"), "\(again.error)")
        #expect(try folder.lines("run", "samples.txt") == samples)
    }

    /// Rank 1 waits for the sample as long as it takes.
    @Test func aSampleMayTakeLongerThanRanksWaitForEachOther() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let start = ContinuousClock.now
        let run = try folder.baton(
            folder.train(out: "run", ["--max-steps", "17", "--sample", "300000", "--hidden", "64"]), ranks: 2,
            environment: ["BATON_WAIT_LIMIT": "1"])
        #expect(run.status == 0, "\(run.error)")
        #expect(try folder.lines("run", "samples.txt").count > 1)
        #expect(ContinuousClock.now - start > .seconds(2), "the sample has become too short for this test")
    }

    /// The checkpoint of the epoch is there; the resumed run makes the sample and goes on.
    @Test(arguments: [1, 2]) func aSampleThatASignalEndsIsMadeAnew(ranks: Int) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let begin = folder.train(out: "run", ["--max-steps", "34", "--sample", "200000"])
        let process = try folder.start(begin, ranks: ranks)
        for _ in 0..<600 where (try? folder.checkpoints("run").contains("step-00000017.safetensors")) != true {
            usleep(20_000)
        }
        usleep(200_000)
        let rank = ranks == 1 ? process.processIdentifier : children(of: process.processIdentifier).min() ?? 0
        try #require(rank > 0 && kill(rank, SIGTERM) == 0)
        process.waitUntilExit()
        #expect(process.terminationStatus == 128 + SIGTERM)
        #expect(try folder.lines("run", "metrics.csv").count == 18)
        #expect(!FileManager.default.fileExists(atPath: folder.path("run") + "/samples.txt"))
        #expect(try folder.baton(folder.resume("run", ["--sample", "200000"])).status == 0)
        let heads = try folder.lines("run", "samples.txt").filter { $0.hasPrefix("--- after epoch") }
        #expect(heads == ["--- after epoch 1, step 17 ---", "--- after epoch 2, step 34 ---"])
    }

    /// The newest checkpoint is older than the newest sample when a training is killed between the two.
    @Test func samplesOfStepsThatAreDoneAgainAreReplaced() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let flags = ["--max-steps", "40", "--checkpoint-every", "30", "--sample", "20"]
        #expect(try folder.baton(folder.train(out: "run", flags)).status == 0)
        let samples = try folder.lines("run", "samples.txt")
        #expect(samples.filter { $0.hasPrefix("--- after epoch") }.count == 2)
        try FileManager.default.removeItem(atPath: folder.path("run/checkpoints/step-00000040.safetensors"))
        let again = try folder.baton(folder.resume("run", ["--sample", "20"]))
        #expect(again.output.contains("resumed after step 30"), "\(again.error)")
        #expect(try folder.lines("run", "samples.txt") == samples)
    }

    @Test(arguments: ["packed", "blas"])
    func everyNumberOfRanksAndAResumeOnAnotherGiveTheSameBits(kernels: String) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let environment = ["BATON_KERNELS": kernels]
        let one = try folder.baton(folder.train(out: "one"), environment: environment)
        #expect(one.status == 0, "\(one.error)")
        let two = try folder.baton(
            folder.train(out: "two", ["--stop-at-step", "10", "--layout", "dp=2"]), ranks: 2, environment: environment)
        #expect(two.status == 0, "\(two.error)")
        let three = try folder.baton(folder.resume("two"), ranks: 3, environment: environment)
        #expect(three.status == 0, "\(three.error)")
        #expect(try folder.bits("two") == folder.bits("one"))
        let rows = try folder.lines("two", "metrics.csv").dropFirst().map { $0.split(separator: ",")[7] }
        #expect(Array(rows) == Array(repeating: "3", count: 10) + Array(repeating: rows[11], count: 10))
        #expect(rows[11] != "3" && rows[11] != "6")
    }

    /// Two stages, then two replicas of two stages, then one process; the text they write is the same too.
    @Test func pipelinesGiveTheSameBitsAndText() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let deep = ["--layers", "3"] + TrainingFolder.options.dropFirst(2)
        let one = try folder.baton(folder.train(out: "one", options: deep))
        #expect(one.status == 0, "\(one.error)")
        let two = try folder.baton(
            folder.train(out: "two", ["--stop-at-step", "7", "--layout", "pp=2"], options: deep), ranks: 2)
        #expect(two.status == 0, "\(two.error)")
        let four = try folder.baton(
            folder.resume("two", ["--stop-at-step", "15", "--layout", "dp=2,pp=2", "--schedule", "1f1b"]), ranks: 4)
        #expect(four.status == 0, "\(four.error)")
        let rest = try folder.baton(folder.resume("two"))
        #expect(rest.status == 0, "\(rest.error)")
        #expect(try folder.bits("two") == folder.bits("one"))
        #expect(try folder.lines("two", "validation.csv").last == folder.lines("one", "validation.csv").last)

        let write = ["generate", folder.path("one"), "--prompt", "the", "--length", "40"]
        let alone = try folder.baton(write)
        let piped = try folder.baton(write + ["--layout", "pp=3"], ranks: 3)
        #expect(alone.status == 0 && alone.output == piped.output, "\(piped.error)")
        let score = ["eval", folder.path("one"), "--data", folder.text]
        #expect(
            try folder.baton(score).output == folder.baton(score + ["--layout", "pp=2"], ranks: 2).output)
        let deeper = try folder.baton(write + ["--layout", "pp=4"], ranks: 4)
        #expect(deeper.status == 2 && deeper.error.contains("at most pp=3"), "\(deeper.error)")
        let wrong = try folder.baton(folder.resume("two", ["--layout", "pp=4"]), ranks: 4)
        #expect(wrong.status == 2 && wrong.error.contains("at most pp=3"), "\(wrong.error)")
    }

    /// Three shards, then two replicas, then two stages of two shards.
    @Test func shardsGiveTheSameBitsAndText() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let deep = ["--layers", "2"] + TrainingFolder.options.dropFirst(2)
        #expect(try folder.baton(folder.train(out: "one", options: deep)).status == 0)
        for (layout, ranks, step) in [("shard=3", 3, 7), ("dp=2", 2, 12), ("pp=2,shard=2", 4, 20)] {
            let flags = ["--layout", layout, "--stop-at-step", "\(step)"]
            let run = try folder.baton(
                ranks == 3 ? folder.train(out: "parts", flags, options: deep) : folder.resume("parts", flags),
                ranks: ranks)
            #expect(run.status == 0, "\(run.error)")
        }
        #expect(try folder.bits("parts") == folder.bits("one"))
        #expect(try folder.lines("parts", "validation.csv").last == folder.lines("one", "validation.csv").last)
        let write = ["generate", folder.path("one"), "--prompt", "the", "--length", "40"]
        let score = ["eval", folder.path("one"), "--data", folder.text]
        let reduced = ["--precision", "int8"]
        for command in [write, score, write + reduced, score + reduced] {
            for layout in ["shard=2", "pp=2"] {
                let divided = try folder.baton(command + ["--layout", layout], ranks: 2)
                #expect(divided.status == 0, "\(divided.error)")
                #expect(try folder.baton(command).output == divided.output, "\(command) \(layout)")
            }
        }
        try expectLossesNearEachOther(try folder.baton(score).output, try folder.baton(score + reduced).output)
        let refused = try folder.baton(score + reduced, environment: ["BATON_KERNELS": "blas"])
        #expect(refused.status == 1 && refused.error.contains("unset BATON_KERNELS"), "\(refused.error)")
        let blas = try folder.baton(
            folder.train(out: "blas", ["--layout", "shard=2"]), ranks: 2, environment: ["BATON_KERNELS": "blas"])
        #expect(blas.status == 2 && blas.error.contains("leave out shard"), "\(blas.error)")
    }

    /// "loss 2.1234 nats …" of weights in float32 and in int8: another, by less than 8 bits can change.
    private func expectLossesNearEachOther(_ exact: String, _ reduced: String) throws {
        func loss(_ line: String) throws -> Double { try #require(Double(line.split(separator: " ")[1])) }
        #expect(reduced.contains("weights in int8") && !exact.contains("weights in"), "\(exact)\(reduced)")
        #expect(try abs(loss(exact) - loss(reduced)) < 0.05, "\(exact)\(reduced)")
    }

    @Test(arguments: [(1, "dp=1"), (2, "dp=2"), (2, "shard=2")])
    func aRunKilledAtAnyMomentEndsWithTheSameHash(ranks: Int, layout: String) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let longer = ["--checkpoint-every", "7", "--sample", "0", "--layout", layout]
        let options = Array(TrainingFolder.options.dropLast()) + ["300"]
        func arguments() throws -> [String] {
            let isStarted =
                try FileManager.default.fileExists(atPath: folder.path("killed"))
                && folder.checkpoints("killed").contains { $0.hasSuffix(".safetensors") }
            return isStarted ? folder.resume("killed", longer) : folder.train(out: "killed", longer, options: options)
        }
        let whole = Array(longer.dropLast(2))
        let start = ContinuousClock.now
        #expect(try folder.baton(folder.train(out: "whole", whole, options: options)).status == 0)
        // So that the first of the kills meets a run that is under way, however fast the machine is.
        let latest = min(150_000, (ContinuousClock.now - start) / .microseconds(1) / 3)
        var kills = 0
        for _ in 0..<(ranks == 1 ? 4 : 2) {
            let process = try folder.start(arguments(), ranks: ranks)
            // From its first sign of life on, at any moment.
            while process.isRunning && !FileManager.default.fileExists(atPath: folder.path("killed")) { usleep(500) }
            usleep(UInt32.random(in: 0...UInt32(latest)))
            let witnesses = children(of: process.processIdentifier)
            let victim =
                ranks == 1
                ? process.processIdentifier : (witnesses + witnesses.flatMap { children(of: $0) }).randomElement()
            if let victim, process.isRunning, kill(victim, SIGKILL) == 0 { kills += 1 }
            // mpirun is given its time to end the other rank, and no more.
            for _ in 0..<200 where process.isRunning { usleep(100_000) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }
        #expect(kills > 0)
        let last = try folder.baton(arguments(), ranks: ranks)
        #expect(last.status == 0, "\(last.error)")
        #expect(try folder.bits("killed") == folder.bits("whole"))
        #expect(try folder.lines("killed", "validation.csv") == folder.lines("whole", "validation.csv"))
    }

    /// A disk that is full while the checkpoint of step 20 is written.
    @Test func aFailedCheckpointLeavesTheEarlierOne() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        #expect(try folder.baton(folder.train(out: "whole")).status == 0)
        #expect(try folder.baton(folder.train(out: "run", ["--stop-at-step", "10"])).status == 0)
        let before = try folder.checkpoints("run")
        // No file of more than 8 KiB, and an error instead of a signal.
        let line = ["bash", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "bash", try BatonProcess.executable().path]
        let failed = try folder.limited(line + folder.resume("run"))
        #expect(failed.status == 1)
        #expect(failed.error.split(separator: "\n").count == 1 && failed.error.contains("step-"), "\(failed.error)")
        #expect(try folder.checkpoints("run") == before)
        #expect(try folder.baton(folder.resume("run")).status == 0)
        #expect(try folder.bits("run") == folder.bits("whole"))
    }

    @Test func aDamagedCheckpointIsNamedAndTheOneBeforeContinues() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        #expect(try folder.baton(folder.train(out: "whole")).status == 0)
        #expect(
            try folder.baton(folder.train(out: "run", ["--checkpoint-every", "5", "--stop-at-step", "10"])).status == 0)
        let newest = folder.path("run") + "/checkpoints/step-00000010.safetensors"
        var bytes = try Data(contentsOf: URL(filePath: newest))
        bytes[bytes.count - 9] ^= 4
        try bytes.write(to: URL(filePath: newest))
        let resumed = try folder.baton(folder.resume("run"))
        #expect(resumed.status == 0)
        #expect(resumed.error.contains(newest) && resumed.error.split(separator: "\n").count == 1, "\(resumed.error)")
        #expect(resumed.output.contains("resumed after step 5"))
        #expect(try folder.bits("run") == folder.bits("whole"))
    }

    @Test func evalScoresAndGenerateWrites() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        #expect(try folder.baton(folder.train(out: "run")).status == 0)
        let eval = ["eval", folder.path("run"), "--data", folder.text, "--valid-split", "0.1", "--json"]
        let one = try folder.baton(eval)
        #expect(one.status == 0, "\(one.error)")
        let report = try one.json()
        let logged = try #require(folder.lines("run", "validation.csv").last).split(separator: ",")
        // As text: this JSON parser is not exact to the last bit.
        #expect(one.output.contains("\"nats_per_token\" : \(logged[1]),"))
        #expect(report["step"] as? Int == 20)
        #expect(try folder.baton(eval, ranks: 2).output == one.output)

        let generate = ["generate", folder.path("run"), "--prompt", "the ", "--length", "40"]
        let first = try folder.baton(generate + ["--seed", "3"])
        #expect(first.status == 0, "\(first.error)")
        #expect(first.output.hasPrefix("the ") && first.output.count == 45)
        #expect(try folder.baton(generate + ["--seed", "3"]).output == first.output)
        #expect(try folder.baton(generate + ["--seed", "4"]).output != first.output)
        let file = folder.path("run") + "/checkpoints/step-00000020.safetensors"
        #expect(try folder.baton(["generate", file] + generate.dropFirst(2) + ["--seed", "3"]).output == first.output)
    }

    /// A trial chooses the layout, on standard error, and nothing else changes; more ranks than layers share units.
    @Test func autoChoosesALayoutForTrainedModels() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        #expect(try folder.baton(folder.train(out: "run")).status == 0)
        for (command, layouts) in [
            (["eval", folder.path("run"), "--data", folder.text, "--json"], ["dp=2", "shard=2"]),
            (["generate", folder.path("run"), "--prompt", "the", "--length", "40"], ["shard=2"]),
        ] {
            let one = try folder.baton(command)
            let auto = try folder.baton(command + ["--layout", "auto"], ranks: 2)
            #expect(auto.status == 0 && auto.output == one.output, "\(auto.error)")
            #expect(try folder.baton(command, ranks: 2).output == one.output)
            if layouts.count > 1 {
                let chosen = auto.error.dropFirst("baton: layout auto: ".count).prefix { $0 != "," }
                #expect(layouts.contains(String(chosen)) && auto.error.contains("; next best "), "\(auto.error)")
            } else {
                #expect(auto.error == "")
            }
        }
    }

    @Test func wordsAreTokensToo() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try folder.baton(
            folder.train(
                out: "run", ["--tokens", "words", "--model", "gru", "--batch", "2", "--epochs", "1"],
                options: ["--layers", "2", "--hidden", "9", "--embed", "4", "--steps-per-window", "5"]))
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("(words)"))
        let text = try folder.baton(["generate", folder.path("run"), "--length", "20"])
        #expect(text.status == 0 && text.output.count > 20, "\(text.error)")
    }
}
