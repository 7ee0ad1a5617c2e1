import Foundation
import Testing

@testable import BatonCLI

@Suite struct ProgramStartTests {
    @Test(arguments: [[], ["--help"], ["run", "--help"], ["info", "-h"], ["help", "inspect"]])
    func helpIsNoFailure(arguments: [String]) throws {
        let run = try BatonProcess(arguments)
        #expect(run.status == 0)
        #expect(run.output.contains("USAGE: baton"))
        #expect(run.error == "")
    }

    @Test(arguments: [["fly"], ["--fly"], ["info", "--fly"], ["inspect"], ["run", "--kind", "cnn"]])
    func badUsageIsStatusTwo(arguments: [String]) throws {
        let run = try BatonProcess(arguments)
        #expect(run.status == 2)
        #expect(run.output == "")
        #expect(run.error.hasPrefix("baton: "))
    }

    /// The parser alone would call the value of `--lr -1` missing, and not say what it expected.
    @Test(arguments: [
        ("train --data x --out y --lr -1", "--lr is -1.0, expected a number above 0."),
        ("train --data x --out y --layers -2", "--layers is -2, expected at least 1."),
        (
            "train --data x --out y --seed -1",
            "The value '-1' is invalid for '--seed <seed>', expected a whole number from 0 to 18446744073709551615."
        ),
        ("train --data x --out y --clip abc", "The value 'abc' is invalid for '--clip <clip>', expected a number."),
        (
            "plan --batch 1e3",
            "The value '1e3' is invalid for '--batch <batch>', expected a whole number up to 9223372036854775807."
        ),
        ("bench latency --seconds -inf", "--seconds is -inf, expected 0 to 3600."),
        (
            "bench scaling --batch -1,2",
            "--batch '-1,2' is no list of numbers from 1 to 100000"
        ),
        ("train --resume -1", "The option '--resume' does not take any value, but '-1' was specified."),
        ("generate run -- --length -1", "2 unexpected arguments: '--length', '-1'."),
    ])
    func aRefusedNumberIsNamedWithWhatWasExpected(line: String, sentence: String) throws {
        let run = try BatonProcess(line.split(separator: " ").map(String.init))
        #expect(run.status == 2)
        #expect(run.error.hasPrefix("baton: \(sentence)"), "\(run.error)")
    }

    @Test(arguments: [
        ("bench kernels --fly", "bench kernels"), ("bench collective", "bench collective"), ("bench fly", "bench"),
        ("info --fly", "info"), ("fly", "baton"),
    ])
    func badUsagePointsToTheHelpOfItsCommand(line: String, command: String) throws {
        let run = try BatonProcess(line.split(separator: " ").map(String.init))
        let name = command == "baton" ? command : "baton \(command)"
        #expect(run.error.hasSuffix(".\nSee '\(name) --help'.\n"), "\(run.error)")
    }

    @Test(arguments: [
        (["inspect", ""], "An argument is empty;"), (["eval", "run", "--data", ""], "--data is empty;"),
        (["train", "--out=", "--data", "x"], "--out is empty;"),
        (["generate", "run", "--length", "10000001"], "--length is 10000001, expected 0 to 10000000."),
        (["train", "--data", "x", "--out", "y", "--sample", "-1"], "--sample is -1, expected 0 to 10000000."),
        (["plan", "--configurations", "x", "--hidden", "9"], "With --configurations the lines of the file say"),
        (["plan", "--configurations", "x", "--recompute"], "With --configurations the lines of the file say"),
        (["plan", "--seconds", "2"], "--seconds 2.0 is about --check or --configurations;"),
        (["verify-layout", "--flip", "4:3"], "--flip '4:3' flips nothing in 6 steps of at most 4 ranks;"),
        (["verify-layout", "--flip", "1:7"], "--flip '1:7' flips nothing"),
    ])
    func whatCannotBeMeantIsRefused(arguments: [String], sentence: String) throws {
        let run = try BatonProcess(arguments)
        #expect(run.status == 2 && run.output == "")
        #expect(run.error.hasPrefix("baton: \(sentence)"), "\(run.error)")
    }

    /// The parser would take the last of them without a word.
    @Test(arguments: [
        ("train --data x --out y --lr 1 --lr 2", "--lr is given twice; give it once."),
        ("train --data x --out y --lr=1 --lr=1", "--lr is given twice;"),
        ("bench kernels --json --list-shapes --json", "--json is given twice;"),
        ("generate run --prompt --seed --seed 1 --seed 2", "--seed is given twice;"),
        ("help fly", "There is no command 'fly';"), ("help bench fly", "There is no command 'fly';"),
        ("bench kernels --list-shapes --axes TNC", "--list-shapes measures nothing; leave out --axes."),
        ("bench kernels --list-shapes --seconds 0.25", "--list-shapes measures nothing; leave out --seconds."),
        ("bench kernels --list-shapes --kernels blas", "--list-shapes measures nothing; leave out --kernels."),
        ("bench train --batch 64 --global-batch 64", "Give --batch or --global-batch, not both."),
        ("train --data x --out y --layout auto --output-layer last", "--output-layer last is about pipeline stages;"),
    ])
    func nothingIsAcceptedAndPassedOver(line: String, sentence: String) throws {
        let run = try BatonProcess(line.split(separator: " ").map(String.init))
        #expect(run.status == 2 && run.output == "")
        #expect(run.error.hasPrefix("baton: \(sentence)"), "\(run.error)")
    }

    /// What may be given twice, and what may have a value that looks like an option, the parser knows best.
    @Test func repeatableOptionsAreThoseOfTheParser() throws {
        struct Tool: Decodable {
            struct Argument: Decodable {
                struct Name: Decodable { var name: String }
                var kind: String
                var isRepeating: Bool
                var parsingStrategy: String
                var preferredName: Name?
            }
            struct Command: Decodable {
                var commandName: String
                var arguments: [Argument]?
                var subcommands: [Command]?
                var options: [Argument] {
                    (arguments ?? []).filter { $0.kind == "option" } + (subcommands ?? []).flatMap(\.options)
                }
            }
            var command: Command
        }
        let run = try BatonProcess(["--experimental-dump-help"])
        let options = try JSONDecoder().decode(Tool.self, from: Data(run.output.utf8)).command.options
        func names(_ isWanted: (Tool.Argument) -> Bool) -> Set<String> {
            Set(options.filter(isWanted).compactMap { $0.preferredName.map { "--\($0.name)" } })
        }
        #expect(options.count > 50)
        #expect(names(\.isRepeating) == ArgumentWords.repeatable)
        #expect(names { $0.parsingStrategy == "unconditional" } == ArgumentWords.unconditional)
    }

    /// Foundation would repair such a word before it reached baton; the shell does not.
    @Test func aNameThatIsNotUTF8IsRefused() throws {
        let line = "\(try BatonProcess.executable().path) inspect \"$(printf 'a\\377b')\""
        let run = try BatonProcess(URL(filePath: "/bin/sh"), ["-c", line])
        #expect(run.status == 2 && run.error.contains("is not UTF-8"), "\(run.error)")
    }

    @Test(arguments: [
        ["bench", "cells", "--steps", "100000", "--batch", "100000"],
        ["verify-layout", "--hidden", "100000", "--models", "lstm"],
    ])
    func sizesThatNoMachineHoldsAreRefused(arguments: [String]) throws {
        let run = try BatonProcess(arguments)
        #expect(run.status == 1 && run.output == "")
        #expect(run.error.hasPrefix("baton: ") && run.error.contains("are the limit"), "\(run.error)")
    }

    private func shell(_ line: String) throws -> BatonProcess {
        try BatonProcess(URL(filePath: "/bin/sh"), ["-c", line, "sh", BatonProcess.executable().path])
    }

    @Test func outputThatIsNotTakenWholeIsNotDone() throws {
        let full = try shell("\"$1\" info > /dev/full")
        #expect(full.status == 1)
        #expect(full.error.hasPrefix("baton: Standard output took no more: No space left"), "\(full.error)")
        // What ranks print goes the same way.
        let plan = try shell("\"$1\" plan --layers 1 --hidden 8 --batch 4 --vocab 10 --ranks 2 --json > /dev/full")
        #expect(plan.status == 1)
        #expect(plan.error.hasPrefix("baton: Standard output took no more: No space left"), "\(plan.error)")
    }

    /// The words of a training for the shell.
    private func training(_ folder: TrainingFolder) -> String {
        folder.train(out: "run").map { "'\($0)'" }.joined(separator: " ")
    }

    /// A file that got the number of a closed stream would receive the lines meant for that.
    @Test func closedStreamsDoNotEndInFiles() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try shell("exec \"$1\" \(training(folder)) 0<&- 1>&- 2>&-")
        #expect(run.status == 0)
        #expect(try folder.bits("run").count == 21)
        #expect(try folder.lines("run", "validation.csv")[0].hasPrefix("step,"))
    }

    /// The limit's signal would end the process without a word.
    @Test func aFileLargerThanTheShellAllowsIsAnErrorOfItsWriting() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let run = try shell("ulimit -f 4; exec \"$1\" \(training(folder))")
        #expect(run.status == 1)
        #expect(run.error.hasPrefix("baton: Cannot write ") && run.error.contains("File too large"), "\(run.error)")
    }

    @Test func lackOfMemoryIsSaidInOneSentence() throws {
        let run = try shell("ulimit -v 400000; exec \"$1\" bench train --hidden 2000 --embed 2000 --seconds 0")
        #expect(run.status == 1 && run.output == "")
        #expect(run.error.hasPrefix("baton: There is no memory for another "), "\(run.error)")
        #expect(run.error.filter { $0 == "\n" }.count == 1, "\(run.error)")
    }

    @Test func onlyRankZeroPrints() throws {
        func environment(rank: Int) -> [String: String] {
            [
                "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "\(rank)", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
                "OMPI_COMM_WORLD_LOCAL_RANK": "\(rank)",
            ]
        }
        #expect(try BatonProcess(["info"], environment: environment(rank: 0)).output.contains("ranks:             2"))
        #expect(try BatonProcess(["info"], environment: environment(rank: 1)).output == "")
        let failing = try BatonProcess(["inspect", "absent"], environment: environment(rank: 1))
        #expect(failing.status == 1)
        #expect(failing.error.hasPrefix("rank 1: baton: "))
    }
}
