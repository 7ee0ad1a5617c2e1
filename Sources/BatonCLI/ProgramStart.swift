import ArgumentParser
import Baton
import Glibc

/// Where the program starts: runs the command and turns what it throws into one sentence and an exit status.
@main
enum ProgramStart {
    /// What the shell is told.
    enum Status: Int32 {
        case done = 0
        case failed = 1
        case badUsage = 2
    }

    static func main() {
        Console.openStreams()
        Console.reportLargeFiles()
        StopSignal.letQuit()
        OpenBLASCore.reexecuteIfNeeded()
        RankWitness.stayBehindIfNeeded()
        let arguments = ArgumentWords.joined(Array(CommandLine.arguments.dropFirst()))
        do {
            try ArgumentWords.check(arguments)
            try ArgumentWords.checkHelp(arguments, root: BatonCommand.self)
            var command = try BatonCommand.parseAsRoot(arguments)
            // Asked here once; from now on the kernels take it for granted that the variables are valid.
            _ = try KernelSelection.current.get()
            try command.run()
            try Console.check()
        } catch {
            leave(with: report(on: error, arguments: arguments))
        }
    }

    /// What to say about an error, where, and the status to leave with.
    struct Report: Equatable {
        var text: String
        var status: Status
    }

    /// Help that was asked for is no failure; what the argument parser refuses is bad usage; all else has failed.
    static func report(on error: any Error, arguments: [String]) -> Report {
        if error is SaidByRankZero { return Report(text: "", status: .failed) }
        let code = BatonCommand.exitCode(for: error)
        if code == .success { return Report(text: BatonCommand.fullMessage(for: error), status: .done) }
        guard code == .validationFailure else { return Report(text: "baton: \(error)", status: .failed) }
        let message = ArgumentWords.refusal(error, of: arguments, as: BatonCommand.self) {
            _ = try BatonCommand.parseAsRoot($0)
        }
        return Report(text: "baton: \(message)\nSee '\(name(arguments)) --help'.", status: .badUsage)
    }

    /// The command that arguments begin with, such as `baton bench kernels`.
    private static func name(_ arguments: [String]) -> String {
        var (name, command) = ("baton", BatonCommand.self as any ParsableCommand.Type)
        for word in arguments.drop(while: { $0 == "help" }) {
            let next = command.configuration.subcommands.first { $0.configuration.commandName == word }
            guard let next else { break }
            (name, command) = (name + " " + word, next)
        }
        return name
    }

    /// Only rank 0 of a job speaks at once: what it has to say usually ends all ranks alike. A rank whose trouble is its
    /// own speaks after a moment, up to the fourth the higher its number the later, unless the launcher has ended it by then (Open MPI takes
    /// about a second to end the other ranks once one has left).
    private static func leave(with report: Report) -> Never {
        if report.status == .done {
            Console.print(report.text)
            do { try Console.check() } catch { leave(with: Report(text: "baton: \(error)", status: .failed)) }
        } else if Console.rank == 0 {
            Console.complain(report.text)
        } else {
            // There is nothing left to keep: the launcher's signal ends the process.
            for number in StopSignal.all where !StopSignal.isIgnored(number) { signal(number, SIG_DFL) }
            var seconds = UInt32(1 + 2 * min(Console.rank, 4))
            while seconds > 0 { seconds = sleep(seconds) }
            if !report.text.isEmpty { Console.complain("rank \(Console.rank): \(report.text)") }
        }
        exit(report.status.rawValue)
    }
}
