import Baton

/// The layouts in which the ranks of a job can use a trained model, and the one they are fastest in.
struct InferenceLayouts {
    /// The simplest first: fewer shards before more, then fewer stages before more.
    let all: [ParallelLayout]

    /// Collective.
    ///
    /// - Parameters:
    ///   - dividesLanes: whether there are lanes for replicas to divide, as in an evaluation.
    ///   - rows: the most steps × lanes of a window.
    init(
        _ model: LanguageModelConfiguration, world: any Communicator, dividesLanes: Bool, rows: Int
    ) throws {
        let ranks = world.size
        let divisors = (1...ranks).filter { ranks % $0 == 0 }
        // Only the packed kernels divide units.
        let shards = divisors.filter { $0 == 1 || KernelSelection.active.backend == .packed }
        let layouts = shards.flatMap { shards in
            divisors.filter { stages in
                stages <= model.layers && ranks % (stages * shards) == 0
                    && (dividesLanes || stages * shards == ranks)
            }.map { ParallelLayout(replicas: ranks / shards / $0, stages: $0, shards: shards) }
        }
        let room = try SharedRoom(world)
        // h of all layers and the input; every trial takes its own, and the run too.
        let floats = 1.25 * Double(rows) * Double(model.layers * model.hidden + max(model.hidden, model.embedding))
        let times = Double(layouts.count { $0.shards > 1 } + 1)
        let fitting = layouts.filter { room.refusal(shards: $0.shards, needed: 4 * floats * times) == nil }
        // Where nothing else is left, an attempt says what is missing.
        all = fitting.isEmpty ? layouts : fitting
    }

    /// What a trial found.
    struct Trial: CustomStringConvertible {
        /// The fastest first, each with the seconds of one piece of work.
        let entries: [(layout: ParallelLayout, seconds: Double)]

        /// What was chosen, and the next best.
        var description: String {
            func text(_ entry: (layout: ParallelLayout, seconds: Double)) -> String {
                "\(entry.layout), \(fixed(entry.seconds * 1e3, digits: 2)) ms in a short trial"
            }
            let rival = entries.dropFirst().first.map { "; next best \(text($0))" } ?? ""
            return "layout auto: \(entries.first.map(text) ?? "none")\(rival)"
        }
    }

    private static let repetitions = 4

    /// Times a piece of work in every layout; nil if there is none. Collective; all ranks come to the same result.
    ///
    /// - Parameter prepare: sets up a layout and returns the work. The first time does not count.
    func trial(
        on world: any Communicator, _ prepare: (ParallelLayout) throws -> () throws -> Void
    ) throws -> Trial? {
        var entries: [(layout: ParallelLayout, seconds: Double)] = []
        for layout in all {
            do {
                let work = try prepare(layout)
                try work()
                var best = Double.infinity
                for _ in 1..<Self.repetitions {
                    try world.barrier()
                    let start = ContinuousClock.now
                    try work()
                    best = min(best, try world.allGather(BestTime.elapsed(since: start)).max() ?? .infinity)
                }
                entries.append((layout, best))
            } catch let error as CommError where error.kind == .invalid && layout.shards > 1 {
                // Ranks of different machines cannot divide units; they all hear so.
                continue
            }
        }
        return entries.isEmpty ? nil : Trial(entries: entries.sorted { $0.seconds < $1.seconds })
    }
}

extension LayoutOption {
    /// The layout that was asked for, for `auto` the one a trial finds fastest, without either the simplest that fits.
    /// Collective.
    ///
    /// - Parameter prepare: as in `InferenceLayouts.trial`.
    func chosen(
        among layouts: InferenceLayouts, _ job: ParallelJob, _ prepare: (ParallelLayout) throws -> () throws -> Void
    ) throws -> ParallelLayout {
        if let asked = try parsed() { return asked }
        guard let simplest = layouts.all.first else {
            // Says what does not fit.
            return ParallelLayout(stages: job.communicator.size)
        }
        guard isAuto, layouts.all.count > 1, let trial = try layouts.trial(on: job.communicator, prepare) else {
            return simplest
        }
        if Console.rank == 0 { Console.complain("baton: \(trial)") }
        return trial.entries[0].layout
    }
}
