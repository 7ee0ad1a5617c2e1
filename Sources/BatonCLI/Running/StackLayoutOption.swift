import ArgumentParser
import Baton

/// `--layout` of `baton run`: how the ranks divide one recurrent stack.
struct StackLayoutOption: ParsableArguments {
    @Option(
        help:
            "Parallel layout of a stack: auto, or a product such as pp=2,dir=2 that equals the number of ranks."
    ) var layout = "auto"

    /// The layout that was asked for; nil is auto.
    ///
    /// - Throws: `ValidationError` if it cannot be read, or is not for so many ranks.
    func parsed(ranks: Int) throws -> ParallelLayout? {
        if layout == "auto" { return nil }
        do {
            let parsed = try ParallelLayout(parsing: layout)
            try parsed.check(ranks: ranks)
            return parsed
        } catch {
            throw ValidationError("--\(error.message)")
        }
    }

    /// The layout for a stack. Of itself it divides directions before layers, and layers before rows: the ranks then need
    /// no rows to share the work.
    func layout(ranks: Int, layers: Int, directions: Int) throws -> ParallelLayout {
        if let asked = try parsed(ranks: ranks) { return asked }
        let pairs = directions == 2 && ranks % 2 == 0 ? 2 : 1
        let stages = (1...layers).last { ranks / pairs % $0 == 0 } ?? 1
        return ParallelLayout(replicas: ranks / pairs / stages, stages: stages, directions: pairs)
    }
}
