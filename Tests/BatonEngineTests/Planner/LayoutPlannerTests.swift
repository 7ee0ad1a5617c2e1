import BatonComm
import BatonKernels
import BatonMPITestSupport
import BatonNN
import Testing

@testable import BatonEngine

/// Forecasts from made-up costs.
@Suite(.enabled(if: !TestWorld.isUnderMPI)) struct LayoutPlannerTests {
    private func configuration(
        layers: Int = 2, batch: Int = 16, steps: Int = 32, vocabulary: Int = 10
    ) throws -> TrainingConfiguration {
        TrainingConfiguration(
            model: try LanguageModelConfiguration(
                cell: .lstm, vocabularySize: vocabulary, embedding: 64, hidden: 64, layers: layers, dropout: 0),
            batch: batch, stepsPerWindow: steps, totalSteps: 10, optimizer: .adam, learningRate: 1e-3,
            schedule: .constant, weightDecay: 0, momentum: 0, clip: nil, seed: 1,
            leafCount: LeafPlan.leafCount(rows: batch))
    }

    /// Every layer takes so long per step and pass, whatever the rows (`fixed`) or in proportion to them.
    private func costs(fixed: Double = 0, perRow: Double = 0, outputPerRow: Double = 0) -> MachineCosts {
        let rows = [1, 2, 4, 8, 16].map { rows in
            let step = fixed + perRow * Double(rows)
            return MachineCosts.Layer(
                rows: rows, begin: 0, forward: step, backward: step, weights: step, call: 0)
        }
        // Divided units cost the same in these tests, and half as much again.
        let slower = rows.map {
            MachineCosts.Layer(
                rows: $0.rows, begin: 0, forward: 1.5 * $0.forward, backward: 1.5 * $0.backward,
                weights: 1.5 * $0.weights, call: 0)
        }
        return MachineCosts(
            layers: [
                1: Dictionary(uniqueKeysWithValues: MachineCosts.LayerClass.allCases.map { ($0, rows) }),
                2: Dictionary(uniqueKeysWithValues: MachineCosts.LayerClass.allCases.map { ($0, slower) }),
            ],
            output: [1, 2, 4, 8, 16].map { rows in
                let step = outputPerRow * Double(rows)
                return MachineCosts.Layer(
                    rows: rows, begin: 0, forward: step, backward: step, weights: step, call: 0)
            },
            update: 0, hash: 0, latency: 0, byte: 0, sumByte: [2: 0], sum: 0, baseBytes: 0)
    }

    /// Gates, c, a line between rows and the packed factors of an LSTM 64 → 64.
    private static let keptPerRow = 5.0 * 64 + 16 + 2 * 64
    /// What x·W of a token takes there.
    private static let gatesPerToken = 4.0 * 64 + 16

    private func padded(_ size: Int) -> Int {
        (size + KernelSelection.laneCount - 1) / KernelSelection.laneCount * KernelSelection.laneCount
    }

    /// What a weight gradient of so many lanes of 32 steps works with.
    private func product(_ rows: Int) -> Double {
        let lanes = KernelSelection.laneCount
        return Double(6 * lanes * (32 * rows + 5 * 4 * lanes))
    }

    @Test func aWaveTakesTheTimeOfItsFormula() throws {
        let planner = LayoutPlanner(try configuration(), costs: costs(fixed: 1))
        // Two stages of one layer: K chunks of T/K seconds and P − 1 more each way, then T for the weights.
        for chunks in [4, 8, 16] {
            let forecast = try planner.forecast(
                LayoutCandidate(ParallelLayout(stages: 2), cuts: ScheduleCuts(chunks: chunks)))
            let chunk = 32 / Double(chunks)
            // A message waits for a poll, a step of the sender; all but the first each way arrive while the receiver works.
            let ideal = 3 * 32 + 2 * chunk
            #expect(forecast.secondsPerStep >= ideal && forecast.secondsPerStep <= ideal + 2)
            #expect(abs(forecast.bubble - (1 - 96 / forecast.secondsPerStep)) < 1e-12)
            #expect(forecast.rows == 16)
        }
        // A rank that holds both layers: three passes of both.
        let alone = try planner.forecast(LayoutCandidate(ParallelLayout()))
        #expect(abs(alone.secondsPerStep - 192) < 1e-9 && alone.bubble == 0)
        #expect(abs(alone.tokensPerSecond - 16 * 32 / 192) < 1e-9)
    }

    @Test func rowsThatCostNothingMakeThePipelineBestAndRowsThatCostAllTheReplicas() throws {
        let configuration = try configuration()
        let candidates = LayoutCandidate.all(configuration, ranks: 2)
        let byStep = try LayoutPlanner(configuration, costs: costs(fixed: 1)).forecasts(candidates)
        #expect(byStep[0].candidate.layout == ParallelLayout(stages: 2))
        #expect(byStep[0].candidate.schedule == .wavefront)
        #expect(byStep[0].reason(among: byStep).contains("16 rows where those of dp=2 have 8"))
        var priced = costs(perRow: 1)
        let byRow = try LayoutPlanner(configuration, costs: priced).forecasts(candidates)
        #expect(byRow[0].candidate.layout == ParallelLayout(replicas: 2))
        #expect(byRow[0].reason(among: byRow).contains("wait for each other"))
        // Until sums are dear: then the same two layers are better apart.
        priced.sumByte[2] = 1
        let dear = try LayoutPlanner(configuration, costs: priced).forecasts(
            candidates.filter { $0.layout.shards == 1 })
        #expect(dear[0].candidate.layout == ParallelLayout(stages: 2))
        #expect(dear[0].reason(among: dear).contains("sums of gradients"))
        #expect(dear.last?.sumShare ?? 0 > 0.9)
    }

    /// An output layer that takes as long as four layers: on the last stage alone the other waits for it most of the time.
    @Test func stagesThatShareTheOutputLayerAreForecastSo() throws {
        let configuration = try configuration(vocabulary: 1000)
        var priced = costs(fixed: 1, outputPerRow: 0.25)
        let planner = LayoutPlanner(configuration, costs: priced)
        func candidate(_ output: OutputPlacement?) -> LayoutCandidate {
            LayoutCandidate(ParallelLayout(stages: 2), cuts: ScheduleCuts(chunks: 8), output: output)
        }
        let (last, spread) = try (planner.forecast(candidate(.lastStage)), planner.forecast(candidate(.spread)))
        // 32 steps of forward, backward and weights: 1 for a layer, 4 for the output layer of 16 rows, 2 for that of 8.
        #expect(last.secondsPerStep >= 3 * 32 * 5 && last.bubble > 0.35)
        #expect(spread.secondsPerStep >= 3 * 32 * 3 && spread.secondsPerStep < 3 * 32 * 3 + 48)
        #expect(spread.bubble < 0.15)
        #expect(spread.candidate.description.hasSuffix("output layer spread"))
        // Left open it is where the trainer puts it, and the best of all is where it takes least.
        let open = try planner.forecast(candidate(nil))
        #expect(
            open.candidate.output
                == (try OutputPlacement.cheaper(
                    configuration.model, ParallelLayout(stages: 2), leafCount: configuration.leafCount)))
        let best = try planner.forecasts(LayoutCandidate.all(configuration, ranks: 2)).filter {
            $0.candidate.layout.stages == 2
        }
        #expect(best[0].candidate.output == .spread)
        // The first stage holds layer, embedding and a copy of the output layer, four numbers for a parameter and packed
        // weights, and half of the output layer's gradient lands there; of 16·32 positions what the layer keeps, h,
        // embeddings and gradients, of half of them logits of all steps and of a chunk and h three times, with its
        // gradient and packed, and x·W of as many tokens as are half of the positions.
        let held = 256.0 * 130 + 1000 * 64 + 1000 * 65
        let packed = 2.0 * 256 * 128 + 64 * Double(1000 + padded(1000))
        let window: Double =
            512 * (Self.keptPerRow + 4 * 64 + 2) + 16 * 6 * 64 + product(16) + 256 * (1125 + 3 * 64) + product(8)
            + 256 * Self.gatesPerToken
        #expect(spread.bytesPerRank == 4 * (4 * held + 65_000 / 2 + packed + window))
        priced.update = 1
        let updated = try LayoutPlanner(configuration, costs: priced).forecast(candidate(.spread))
        #expect(abs(updated.secondsPerStep - spread.secondsPerStep - held) < 1e-6 * held)
        // Its gradient is summed over the stages.
        priced.update = 0
        priced.sumByte[2] = 1
        let dear = try LayoutPlanner(configuration, costs: priced).forecast(candidate(.spread))
        let bytes = 4 * configuration.model.outputParameterCount
        #expect(abs(dear.secondsPerStep - spread.secondsPerStep - bytes) < 1e-6 * bytes)
        #expect(throws: EngineError.self) {
            try planner.forecast(LayoutCandidate(ParallelLayout(replicas: 2), output: .spread))
        }
    }

    @Test func gatesThatAreComputedAgainTakeLessMemory() throws {
        // Long windows of a layer that is small beside them.
        let configuration = try configuration(layers: 1, steps: 1000)
        let alone = LayoutCandidate(ParallelLayout())
        let kept = try LayoutPlanner(configuration, costs: costs(fixed: 1)).forecast(alone).bytesPerRank
        let again = try LayoutPlanner(configuration, costs: costs(fixed: 1), recomputation: .chunks(of: 50))
            .forecast(alone).bytesPerRank
        // Of gates, c and the factors of I + H numbers 950 steps go, and those of x·W of 10 tokens; 20 borders of c and a gradient per leaf come.
        let rows = 16.0 * 64
        let gates = 950.0 * 16 * Self.keptPerRow
        let (borders, sums): (Double, Double) = (20 * rows, 8 * (256 * 128 + 512))
        let saved = 4 * (gates + 10 * Self.gatesPerToken - borders - sums)
        #expect(kept - again == saved)
        let layouts = LayoutCandidate.all(try self.configuration(), ranks: 2, recomputes: true).map(\.layout.shards)
        #expect(Set(layouts) == [1])
    }

    @Test func everyLayoutThatFitsIsConsideredOnce() throws {
        func layouts(_ configuration: TrainingConfiguration, _ ranks: Int) -> Set<String> {
            Set(LayoutCandidate.all(configuration, ranks: ranks).map(\.layout.description))
        }
        #expect(try layouts(configuration(), 1) == ["dp=1"])
        #expect(try layouts(configuration(), 2) == ["dp=2", "pp=2", "shard=2"])
        #expect(
            try layouts(configuration(layers: 4), 4) == [
                "dp=4", "dp=2,pp=2", "pp=4", "dp=2,shard=2", "pp=2,shard=2", "shard=4",
            ])
        #expect(try layouts(configuration(layers: 1), 3) == ["dp=3", "shard=3"])
        #expect(try layouts(configuration(layers: 3, batch: 2), 3) == ["pp=3", "shard=3"])
        #expect(try layouts(configuration(layers: 1, batch: 1), 2) == ["shard=2"])
        let candidates = try LayoutCandidate.all(configuration(), ranks: 2)
        #expect(Set(candidates).count == candidates.count)
        for candidate in candidates {
            let schedule = try candidate.schedule(of: configuration())
            if let schedule { try ScheduleValidator.validate(schedule) }
        }
        #expect(candidates.contains { $0.output == .spread } && candidates.allSatisfy { $0.output != nil })
        let unspread = try LayoutCandidate.all(configuration(), ranks: 2, output: .lastStage)
        #expect(unspread.allSatisfy { $0.output == .lastStage } && unspread.count < candidates.count)
        let only = try LayoutCandidate.all(configuration(), ranks: 2, schedule: .gpipe)
        #expect(Set(only.filter { $0.layout.stages > 1 }.map(\.schedule)) == [.gpipe])
    }

    @Test func costsBetweenMeasuredRowsLieOnALine() {
        let measured = costs(fixed: 3, perRow: 2)
        #expect(measured.layer(.inner, rows: 4).forward == 11)
        #expect(measured.layer(.inner, rows: 3).forward == 9)
        #expect(measured.layer(.inner, rows: 12).weights == 27)
        #expect(measured.layer(.inner, rows: 32).forward == 70)
        #expect(measured.layer(.inner, rows: 0).forward == 0)
    }

    @Test func theFullestReplicaCounts() throws {
        // Nine lanes are eight leaves, one of two lanes; three replicas hold 2, 3 and 4 of them.
        let configuration = try configuration(batch: 9)
        let forecast = try LayoutPlanner(configuration, costs: costs(perRow: 1)).forecast(
            LayoutCandidate(ParallelLayout(replicas: 3)))
        #expect(forecast.rows == 4)
    }

    @Test func bestOfEachKeepsTheFastestCut() throws {
        let configuration = try configuration()
        let forecasts = try LayoutPlanner(configuration, costs: costs(fixed: 1)).forecasts(
            LayoutCandidate.all(configuration, ranks: 2))
        let best = forecasts.bestOfEach
        #expect(best.count == 5 && best[0] == forecasts[0])
        #expect(Set(best.map { $0.candidate.layout.stages > 1 ? $0.candidate.schedule.rawValue : "" }).count == 4)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let planner = LayoutPlanner(try configuration(), costs: costs(fixed: 1))
        #expect(throws: EngineError.self) { try planner.forecast(LayoutCandidate(ParallelLayout(stages: 3))) }
        let chunks = ScheduleCuts(chunks: 33)
        #expect(throws: EngineError.self) {
            try planner.forecast(LayoutCandidate(ParallelLayout(stages: 2), cuts: chunks))
        }
        let micro = ScheduleCuts(microBatches: 9)
        #expect(throws: EngineError.self) {
            try planner.forecast(LayoutCandidate(ParallelLayout(stages: 2), schedule: .gpipe, cuts: micro))
        }
    }

    @Test func stagesShareTheMemoryOfAModel() throws {
        let configuration = try configuration(layers: 4)
        let planner = LayoutPlanner(configuration, costs: costs(fixed: 1))
        let alone = try planner.forecast(LayoutCandidate(ParallelLayout())).bytesPerRank
        let stages = try planner.forecast(LayoutCandidate(ParallelLayout(stages: 4))).bytesPerRank
        #expect(stages > 0.2 * alone && stages < 0.4 * alone)
        // Parameters, moments and gradient; packed weights; gates, cell, output and gradient of 16·32 positions;
        // x·W of 10 tokens.
        let parameters = configuration.model.parameterCount(layers: 0..<4)
        #expect(parameters == Double(configuration.model.parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) }))
        // The factors of the weight gradient are copies of what a layer reads and of h.
        let packed = 4.0 * 2 * 256 * 128 + 64 * Double(10 + padded(10))
        let perRow = 4 * (Self.keptPerRow + 128) + 2 * 64 + 2 + 20 + 64
        let floats: Double =
            parameters * 4 + packed + 512 * perRow + 4 * 16 * 6 * 64 + 5 * product(16) + 10 * Self.gatesPerToken
        #expect(alone == 4 * floats)
    }

    /// A rank packs only its own units, and a place is shared where the rows of gradients meet.
    @Test func shardsPackTheirUnitsOnly() throws {
        let configuration = try configuration(layers: 1, batch: 1)
        let planner = LayoutPlanner(configuration, costs: costs(fixed: 1))
        let alone = try planner.forecast(LayoutCandidate(ParallelLayout())).bytesPerRank
        let shards = try planner.forecast(LayoutCandidate(ParallelLayout(shards: 2))).bytesPerRank
        // Half of W, U and their transposes go; two gradients of a matrix come, in a block of its size.
        let (packed, rows) = (4.0 * 256 * 128, Double(SharedWorkspace.capacity(2 * 4 * 256 * 64)))
        #expect(shards == alone - packed + rows)
    }
}
