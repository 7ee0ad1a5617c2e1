import ArgumentParser
import Baton

/// `--layout`: how the ranks divide the work.
struct LayoutOption: ParsableArguments {
    @Option(
        help:
            "Parallel layout: a product such as dp=2,pp=2, shard=2 or, for stacks of two directions, dir=2, that equals the number of ranks, or auto: what a short probe predicts or a trial finds fastest, and in run and bench scaling the simplest. Without it the command's simplest."
    )
    var layout: String?

    /// Whether the command is to choose.
    var isAuto: Bool { layout == "auto" }

    /// Whether the command is to choose, and this job has more than one layout.
    var choosesAmongRanks: Bool { isAuto && (try? LaunchEnvironment())?.size ?? 1 > 1 }

    /// The layout that was asked for; nil if none was named.
    ///
    /// - Parameter hasDirections: whether there are two directions to divide, as no language model has.
    /// - Throws: `ValidationError` if it cannot be read, or is not for this model or this number of ranks, which the
    ///   launcher says before MPI starts.
    func parsed(hasDirections: Bool = false) throws -> ParallelLayout? {
        guard let layout, !isAuto else { return nil }
        do {
            let parsed = try ParallelLayout(parsing: layout)
            guard hasDirections || parsed.directions == 1 else {
                throw ValidationError(
                    "--layout \(layout): a language model has one direction; divide it by dp, pp and shard.")
            }
            do { try parsed.check(ranks: (try? LaunchEnvironment())?.size ?? 1) } catch {
                throw ValidationError("--\(error.message.dropLast()) (launch/run -n \(parsed.rankCount)).")
            }
            return parsed
        } catch let error as CommError {
            throw ValidationError("--\(error.message)")
        }
    }

    /// Divides a model by the layout, or checks that it can be; a refusal is wrong usage if the layout was asked for.
    ///
    /// - Parameters:
    ///   - flags: by what the model can have more of, the flag that gives it; a refusal that asks for that names it.
    ///   - chosen: the layout, if the command chose it.
    func fitting<Value>(
        changing flags: KeyValuePairs<String, String> = [:], chosen: ParallelLayout? = nil,
        _ divide: () throws -> Value
    ) throws -> Value {
        do { return try divide() } catch let error as EngineError {
            let named = flags.filter { error.message.contains("more \($0.key)") }.map(\.value)
            let sentence =
                named.isEmpty ? error.message : "\(error.message.dropLast()) (\(named.joined(separator: ", ")))."
            if let layout, !isAuto { throw ValidationError("--layout \(layout): \(sentence)") }
            throw EngineError(
                chosen.map {
                    "Without a --layout the \($0.rankCount) ranks are \($0), and \(sentence.dropLast()); give a --layout, or start fewer ranks."
                } ?? sentence)
        }
    }
}
