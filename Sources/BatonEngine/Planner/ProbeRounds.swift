import BatonComm

/// Seconds of the parts of one window.
struct WindowTimes {
    var begin = 0.0
    var forward = 0.0
    var backward = 0.0
    var weights = 0.0

    init() {}

    fileprivate init(_ values: ArraySlice<Double>) {
        let all = Array(values)
        (begin, forward, backward, weights) = (all[0], all[1], all[2], all[3])
    }

    fileprivate var total: Double { begin + forward + backward + weights }
    fileprivate var passes: Double { forward + backward }
    fileprivate var values: [Double] { [begin, forward, backward, weights] }
}

/// Something that is timed: a layer for some rows.
final class ProbePiece {
    /// N.
    let rows: Int
    /// Steps of a chunk whose gates are computed again; nil keeps them.
    let recomputed: Int?
    /// Whether windows are also run in several ranges of steps; else a further range costs nothing.
    let isCut: Bool
    /// Runs one window of so many steps, cut into so many ranges.
    let run: (_ steps: Int, _ calls: Int) throws -> WindowTimes
    /// Steps of the windows that are timed.
    fileprivate var steps = 0
    fileprivate var whole: [WindowTimes] = []
    fileprivate var cut: [WindowTimes] = []

    init(
        rows: Int, recomputed: Int? = nil, isCut: Bool = true,
        run: @escaping (_ steps: Int, _ calls: Int) throws -> WindowTimes
    ) {
        self.isCut = isCut
        self.rows = rows
        self.recomputed = recomputed
        self.run = run
    }

    fileprivate var calls: Int { isCut ? min(steps, 8) : 1 }
}

/// Times pieces of a model on all ranks at once, a few times over.
///
/// Ranks that train together wait for the one that is slowest at the moment, so every repetition begins on all ranks
/// together and counts as long as it took on the slowest; of the repetitions the middle one stands for all. The pieces
/// take turns, so that a machine that gets slower or faster does so for all of them.
struct ProbeRounds {
    let world: any Communicator
    /// T.
    let stepsPerWindow: Int
    /// About how long one pass over a window may take; longer windows are measured by their first steps.
    private let passSeconds = 0.025
    /// About how long all repetitions may take.
    private let seconds = 2.0

    /// Repetitions of pieces that together take so long. Long ones, as of many ranks on few cores, are means of much by
    /// themselves.
    static func repetitions(once: Double, seconds: Double) -> Int {
        max(once > 2 * seconds ? 1 : 3, min(7, Int(seconds / max(once, 1e-6))))
    }

    /// The costs of each piece. Collective.
    func measure(_ pieces: [ProbePiece]) throws -> [MachineCosts.Layer] {
        for piece in pieces { try prepare(piece) }
        var watch = StopWatch()
        try runOnce(pieces)
        let once = try world.allGather(watch.lap()).max() ?? 0
        for _ in 1..<Self.repetitions(once: once, seconds: seconds) { try runOnce(pieces) }
        return try pieces.map(cost)
    }

    /// The first window takes memory, and says how many steps there is time for.
    private func prepare(_ piece: ProbePiece) throws {
        let first = min(stepsPerWindow, max(8, 2 * (piece.recomputed ?? 0)))
        _ = try piece.run(first, 1)
        let trial = try piece.run(first, 1)
        let longest = max(trial.forward, trial.backward, trial.weights) / Double(first)
        let perStep = try world.allGather(longest).reduce(0, +) / Double(world.size)
        piece.steps = min(stepsPerWindow, max(first, Int(passSeconds / max(perStep, 1e-9))))
        if piece.steps > first { _ = try piece.run(piece.steps, 1) }
    }

    private func runOnce(_ pieces: [ProbePiece]) throws {
        for piece in pieces {
            try world.barrier()
            piece.whole.append(try piece.run(piece.steps, 1))
            if piece.calls > 1 { piece.cut.append(try piece.run(piece.steps, piece.calls)) }
        }
    }

    private func cost(_ piece: ProbePiece) throws -> MachineCosts.Layer {
        let slowest = try slowest(piece.whole).sorted { $0.total < $1.total }[piece.whole.count / 2]
        let extra = try middle(zip(piece.cut, piece.whole).map { $0.passes - $1.passes }) { values in
            values.reduce(0, +) / Double(values.count)
        }
        let count = Double(piece.steps)
        // Of a shorter window a larger part is the last chunk, which is not computed again.
        let again = piece.recomputed.map {
            Double(min($0, piece.steps)) * (1 / count - 1 / Double(stepsPerWindow))
        }
        return MachineCosts.Layer(
            rows: piece.rows, begin: slowest.begin, forward: slowest.forward / count,
            backward: (slowest.backward + (again ?? 0) * slowest.forward) / count, weights: slowest.weights / count,
            call: piece.calls > 1 ? max(0, extra) / Double(2 * (piece.calls - 1)) : 0)
    }

    /// The middle of some values of every rank, each as large as on the rank where it is largest. Collective.
    func slowest(_ values: [Double]) throws -> Double { try middle(values) { $0.max() ?? 0 } }

    private func middle(_ values: [Double], _ ofRanks: ([Double]) -> Double) throws -> Double {
        let all = try world.allGather(values)
        return values.isEmpty
            ? 0 : values.indices.map { place in ofRanks(all.map { $0[place] }) }.sorted()[values.count / 2]
    }

    /// Every repetition of the rank on which it took longest.
    private func slowest(_ times: [WindowTimes]) throws -> [WindowTimes] {
        let width = WindowTimes().values.count
        let all = try world.allGather(times.flatMap(\.values))
        return times.indices.map { place in
            let ranks = all.map { WindowTimes($0[place * width..<(place + 1) * width]) }
            return ranks.max { $0.total < $1.total } ?? WindowTimes()
        }
    }
}
