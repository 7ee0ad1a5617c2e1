import Baton
import Foundation
import Testing

@testable import BatonCLI

/// `verify-layout` finds nothing where there is nothing, and a flipped bit where there is one.
@Suite(.serialized) struct VerifyLayoutTests {
    private func verify(_ more: [String]) throws -> BatonProcess {
        try BatonProcess(
            URL(filePath: "/usr/bin/env"),
            ["timeout", "--kill-after=5", "100", try BatonProcess.executable().path, "verify-layout"]
                + ["--steps", "4", "--layers", "3", "--hidden", "9"] + more,
            environment: ["OPENBLAS_NUM_THREADS": "1"], without: ["BATON_ISA", "OPENBLAS_CORETYPE"])
    }

    @Test func everyLayoutHasTheBitsOfOneRank() throws {
        let run = try verify(["--ranks", "1,2,4", "--models", "lstm,rnn"])
        #expect(run.status == 0, "\(run.output) \(run.error)")
        let lines = run.output.split(separator: "\n")
        // dp=1; dp=2, shard=2 and pp=2 with three schedules, the output layer on the last stage and spread; dp=4, shard=4,
        // dp=2,shard=2, dp=2,pp=2 with six and pp=2,shard=2 with three; no pp=4 for three layers. Of stacks of both directions dp=1; dp=2, pp=2 and dir=2; dp=4, dp=2,pp=2,
        // dp=2,dir=2 and pp=2,dir=2. Of one direction dp=1; shard=2; dp=2,shard=2, pp=2,shard=2 and shard=4.
        #expect(lines.count == 2 * ((1 + 8 + 12) + (1 + 3 + 4) + (1 + 1 + 3)) + 1)
        #expect(lines.dropLast().allSatisfy { $0.hasSuffix("figures, no difference") })
        #expect(run.output.contains("lstm dp=2,pp=2 1f1b: "))
        #expect(run.output.contains("rnn pp=2,shard=2 gpipe: "))
        #expect(run.output.contains("rnn-both-directions pp=2,dir=2: "))
        #expect(run.output.contains("lstm-one-direction pp=2,shard=2: "))
        #expect(lines.last == "68 runs, 0 differ from one rank")
    }

    /// Also by SIGKILL, after which it can do nothing itself.
    @Test(arguments: [SIGKILL, SIGINT]) func whenItIsEndedItsRanksEndToo(signal: Int32) throws {
        let process = Process()
        process.executableURL = try BatonProcess.executable()
        process.arguments = ["verify-layout", "--ranks", "2", "--models", "lstm", "--layers", "1", "--hidden", "9"]
        // One rank takes a few seconds for them before the others are started, and two ranks take minutes.
        process.arguments? += ["--steps", "1000"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // A shell, mpirun, ranks.
        func generations() -> [[pid_t]] {
            var result = [children(of: process.processIdentifier)]
            while let last = result.last, !last.isEmpty { result.append(last.flatMap { children(of: $0) }) }
            return result
        }
        for _ in 0..<600 where generations().count < 4 { usleep(50_000) }
        let found = generations()
        #expect(found.count >= 4 && found[0].count == 1 && found[1].count == 1)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        let jobs = found.flatMap { $0 }
        // Nobody may have asked yet how one ended; then it has no command line any more.
        func isAlive(_ id: pid_t) -> Bool {
            FileManager.default.contents(atPath: "/proc/\(id)/cmdline")?.isEmpty == false
        }
        for _ in 0..<600 where jobs.contains(where: isAlive) { usleep(50_000) }
        #expect(jobs.filter(isAlive) == [])
        for job in jobs where isAlive(job) { kill(job, SIGKILL) }
    }

    @Test func aFlippedBitIsFoundInItsStep() throws {
        let run = try verify(["--ranks", "2", "--models", "gru", "--flip", "1:3", "--json"])
        #expect(run.status == 1, "\(run.error)")
        let rows = try #require(try run.json()["rows"] as? [[String: Any]])
        #expect(rows.count == 8 + 3 + 1)
        let isStack = { (row: [String: Any]) in (row["run"] as? String)?.contains("-direction") == true }
        for row in rows where isStack(row) {
            let found = try #require(row["first_difference"] as? String)
            #expect(found.hasPrefix("step 3, output y"), "\(found)")
        }
        for row in rows where !isStack(row) {
            let found = try #require(row["first_difference"] as? String)
            // A shard has an output layer of its own: what it spoils reaches the others with its rows of gradients.
            let isShard = row["run"] as? String == "gru shard=2"
            #expect(found.hasPrefix(isShard ? "step 3, gradient " : "step 3, loss of leaf"), "\(found)")
        }
        // Of two replicas the second holds the upper half of the eight leaves.
        let replicas = try #require(rows.first { $0["run"] as? String == "gru dp=2" }?["first_difference"] as? String)
        #expect(replicas.hasPrefix("step 3, loss of leaf 4"), "\(replicas)")
        #expect(run.error.contains("12 of 12 runs"))
    }

    @Test(arguments: [
        (["--ranks", "0"], "--ranks"), (["--ranks", "1,,2"], "--ranks"), (["--models", "cnn"], "cnn"),
        (["--flip", "1"], "RANK:STEP"), (["--steps", "0"], "--steps"), (["--dropout", "1"], "--dropout"),
    ])
    func badFlagsAreRefused(flags: [String], word: String) throws {
        let run = try verify(flags)
        #expect(run.status == 2 && run.error.contains(word), "\(run.error)")
    }

    @Test func recordsNameTheFirstDifference() {
        var evidence = StepEvidence()
        evidence.leaves = [LeafTotals(lossSum: 1, tokenCount: 2), LeafTotals(lossSum: 3, tokenCount: 4)]
        evidence.gradientSquares = [5, 6]
        evidence.parameterDigests = [7, 8]
        var reference = LayoutRecord(title: "lstm dp=1")
        for step in 1...2 { reference.add(step: step, evidence, names: ["a", "b"]) }
        #expect(LayoutRecord.read(reference.text + reference.text) == [reference, reference])
        var other = LayoutRecord(title: "lstm pp=2 gpipe")
        other.add(step: 1, evidence, names: ["a", "b"])
        #expect(other.difference(from: reference)?.contains("6 figures where one rank has 12") == true)
        evidence.gradientSquares[1] = 9
        other.add(step: 2, evidence, names: ["a", "b"])
        #expect(other.cell == "lstm")
        #expect(
            other.difference(from: reference)
                == "step 2, gradient b: 0000000000000009 where one rank has 0000000000000006")
        #expect(reference.difference(from: reference) == nil)
    }
}
