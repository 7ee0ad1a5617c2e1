import ArgumentParser
import Baton

/// `--layout`: how the ranks divide the work.
struct LayoutOption: ParsableArguments {
    @Option(help: "Parallel layout: auto, or a product such as dp=2,pp=2 or shard=2 that equals the number of ranks.")
    var layout = "auto"

    /// The layout that was asked for; nil is auto.
    ///
    /// - Throws: `ValidationError` if it cannot be read, or names a factor that no command of this form uses.
    func parsed() throws -> ParallelLayout? {
        if layout == "auto" { return nil }
        do {
            let parsed = try ParallelLayout(parsing: layout)
            guard parsed.directions == 1 else {
                throw ValidationError(
                    "--layout \(layout): a language model has one direction; divide it by dp, pp and shard.")
            }
            return parsed
        } catch let error as CommError {
            throw ValidationError("--\(error.message)")
        }
    }

    /// Refuses what does not fit; the number of ranks is known to the launcher before MPI starts.
    func check(ranks: Int) throws {
        guard let parsed = try parsed() else { return }
        do { try parsed.check(ranks: ranks) } catch { throw ValidationError("--\(error.message)") }
    }

    /// Runs a check of the layout against a model; its refusal is wrong usage if the layout was asked for.
    func fitting(_ check: () throws -> Void) throws {
        do { try check() } catch let error as EngineError where layout != "auto" {
            throw ValidationError("--layout \(layout): \(error.message)")
        }
    }
}

/// Pipeline schedules by their names on the command line.
enum ScheduleName: String, ExpressibleByArgument, CaseIterable {
    case wavefront, gpipe
    case oneForwardOneBackward = "1f1b"

    var kind: ScheduleKind {
        switch self {
        case .wavefront: .wavefront
        case .gpipe: .gpipe
        case .oneForwardOneBackward: .oneForwardOneBackward
        }
    }
}
