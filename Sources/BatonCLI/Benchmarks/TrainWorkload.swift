public import Baton
import Glibc

/// What `bench train` trains: a language model on random tokens.
struct TrainWorkload: Encodable {
    /// How many lanes of text.
    enum Lanes: Encodable {
        case perRank(Int)
        /// Of the whole batch, whatever the number of ranks.
        case ofBatch(Int)

        /// In a batch of so many ranks.
        func total(ranks: Int) -> Int {
            switch self {
            case .perRank(let count): count * ranks
            case .ofBatch(let count): count
            }
        }

        private enum CodingKeys: CodingKey { case perRank, ofBatch }

        /// As an object with one of the names.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .perRank(let count): try container.encode(count, forKey: .perRank)
            case .ofBatch(let count): try container.encode(count, forKey: .ofBatch)
            }
        }
    }

    var model: LanguageModelConfiguration
    var lanes: Lanes
    /// T.
    var stepsPerWindow: Int
    /// Whether gates are computed again; nil keeps them.
    var recomputation: Recomputation?

    /// Windows until the lanes start again.
    private static let windows = 4

    /// Operations of the products of one training step of so many ranks per token, two per multiply-add: three times
    /// (forward, data, weights) 2·(Σ over layers of G·H·(I+H) + V·H), less what is not done: the packed kernels make no
    /// gradient of the states before a window, which is that of one step's hidden product; and where tokens repeat, the
    /// forward x·W of the lowest layer is made once for each that differs, by the packed kernels unless gates are computed
    /// again (`RepeatedRows`). Of random tokens in P positions those are about V·(1 − (1 − 1/V)^P); a rank or a piece of the
    /// window that has fewer positions makes more of these products than are counted. Gates, softmax, embedding and optimizer
    /// are not counted.
    func operationsPerToken(ranks: Int) -> Double {
        let gateRows = Double(model.cell.gateCount * model.hidden)
        let widths = [model.embedding] + Array(repeating: model.hidden, count: model.layers - 1)
        let layers = widths.reduce(0.0) { $0 + gateRows * Double($1 + model.hidden) }
        let vocabulary = Double(model.vocabularySize)
        let positions = Double(lanes.total(ranks: ranks)) * Double(stepsPerWindow)
        let distinct = vocabulary * (1 - pow(1 - 1 / vocabulary, positions))
        let shares =
            KernelSelection.active.backend == .packed && recomputation == nil
            && RepeatedRows.areWorthAProduct(distinct: Int(distinct), of: Int(positions))
        let repeated = shares ? 1 - distinct / positions : 0
        let unasked =
            KernelSelection.active.backend == .packed ? Double(model.layers * model.hidden) / Double(stepsPerWindow) : 0
        return 6 * (layers + vocabulary * Double(model.hidden))
            - 2 * gateRows * (Double(model.embedding) * repeated + unasked)
    }

    /// Floats of one rank, about: parameters, their gradients, packed forms and moments, and what the forward pass keeps.
    var floatCount: Double {
        let rows = Double(lanes.total(ranks: 1)) * Double(stepsPerWindow)
        let kept =
            Double(model.embedding) + 2 * Double(model.vocabularySize)
            + Double(model.layers) * Double(model.cell.gateCount + 4) * Double(model.hidden)
        return rows * kept + 6 * model.parameterCount
    }

    /// Refuses what is surely a slip: 64 GiB for a rank, about, if it held the whole model. A layout may hold far less of it,
    /// so nothing is said of this machine's memory.
    func check() throws(CommandFailure) {
        let limit = 0x1p34
        guard floatCount <= limit else {
            throw CommandFailure(
                "A rank would need about \(fixed(floatCount / 0x1p28, digits: 0)) GiB where \(Int(limit / 0x1p28)) are the limit; use a smaller --batch, --hidden, --layers, --vocab or --steps-per-window."
            )
        }
    }

    /// What is trained by so many ranks together: the whole batch, or the lanes of all of them.
    func trainingConfiguration(ranks: Int) -> TrainingConfiguration {
        let lanes = lanes.total(ranks: ranks)
        return TrainingConfiguration(
            model: model, batch: lanes, stepsPerWindow: stepsPerWindow, totalSteps: 1_000_000, optimizer: .adam,
            learningRate: 1e-3, schedule: .constant, weightDecay: 0, momentum: 0, clip: 1, seed: 1,
            leafCount: LeafPlan.leafCount(rows: lanes))
    }

    /// A trainer of this model on the ranks of a grid.
    ///
    /// - Throws: the trainer's errors.
    func makeTrainer(
        _ grid: ProcessGrid, schedule: ScheduleKind = .wavefront, cuts: ScheduleCuts = ScheduleCuts(),
        output: OutputPlacement? = nil
    ) throws -> LanguageModelTrainer {
        let configuration = trainingConfiguration(ranks: grid.world.size)
        let positions = configuration.batch * stepsPerWindow * Self.windows
        let stream = RandomStream(seed: 1, name: "bench train")
        let size = model.vocabularySize
        let tokens = (0...positions).map { Int32(stream.uniform(UInt64($0)) * Double(size)) }
        return try LanguageModelTrainer(
            configuration, tokens: tokens, grid: grid, schedule: schedule, cuts: cuts, recomputation: recomputation,
            output: output)
    }
}

extension Recomputation: Encodable {
    /// As its description.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("\(self)")
    }
}
