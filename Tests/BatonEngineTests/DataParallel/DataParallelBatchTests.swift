import BatonComm
import BatonEngine
import BatonKernels
import BatonMPITestSupport
import BatonNN
import BatonTensor
import Testing

/// Models of one's own under a `Trainer` on all ranks of the test's world against one process, which every rank plays for
/// itself. launch/test runs this under mpirun with 1 to 4 ranks.
@Suite(.serialized) struct DataParallelBatchTests {
    private static let batch = 11
    private static let steps = 5
    private static let words = 9

    private struct Run {
        var losses: [Double]
        var values: [[Double]]
        var batch: DataParallelBatch
    }

    /// A language model; tied, its output layer has the weight of the embedding.
    private func model(tied: Bool, dtype: DType = .float32) -> HybridSequential {
        let embedding = Embedding(inputDim: Self.words, outputDim: 7, dtype: dtype, prefix: "lm_embedding_")
        let net = HybridSequential(
            prefix: "lm_",
            [
                embedding,
                GRU(hiddenSize: 7, numLayers: 2, dropout: 0.3, inputSize: 7, dtype: dtype, prefix: "lm_gru_"),
                Dense(
                    units: Self.words, inUnits: 7, dtype: dtype, weight: tied ? embedding.weight : nil,
                    prefix: "lm_dense_"),
            ])
        net.initialize(UniformInitializer(0.4), seed: 3)
        return net
    }

    /// Losses of some steps, and the parameters and last gradients after them.
    private func train(
        _ model: HybridSequential, _ rule: any UpdateRule, on communicator: any Communicator,
        separatesLeaves: Bool? = nil
    ) throws -> Run {
        let parallel = try DataParallelBatch(
            model, batchSize: Self.batch, communicator: communicator, separatesLeaves: separatesLeaves)
        let trainer = Trainer(try model.collectParams(), rule, combine: parallel.combine)
        let loss = SoftmaxCrossEntropyLoss(batchAxis: 1)
        var losses: [Double] = []
        for step in 0..<4 {
            let tape = Tape()
            let context = parallel.begin(tape: tape, seed: 8, step: step)
            func ids(_ factor: Int) -> Tensor {
                let all = (0..<Self.steps).flatMap { time in
                    parallel.rows.map { Int32((time * 5 + $0 * factor + step) % Self.words) }
                }
                return Tensor(all, shape: [Self.steps, parallel.rows.count])
            }
            let value = loss(model(Variable(ids(3)), context), ids(4), context)
            losses += value.value.doubles()
            tape.backward(value)
            try trainer.step(batchSize: Self.batch)
        }
        let parameters = model.collectParameters()
        return Run(
            losses: losses, values: parameters.map { $0.data.doubles() } + parameters.map { $0.gradient.doubles() },
            batch: parallel)
    }

    @Test(arguments: [false, true], [DType.float32, .float64])
    func everyNumberOfRanksHasTheBitsOfOneProcess(tied: Bool, dtype: DType) throws {
        let world = try TestWorld.communicator()
        for rule in [SGDRule(momentum: 0.9), AdamRule()] as [any UpdateRule] {
            let alone = try train(model(tied: tied, dtype: dtype), rule, on: SelfCommunicator())
            let together = try train(model(tied: tied, dtype: dtype), rule, on: world)
            let isSame = together.values == alone.values
            #expect(isSame)
            let start = model(tied: tied, dtype: dtype).collectParameters().map { $0.data.doubles() }
            #expect(zip(start, together.values).allSatisfy { $0 != $1 })
            // Rows keep their losses wherever they are computed.
            let rows = together.batch.rows
            #expect(rows.count < Self.batch || world.size == 1)
            let own = (0..<4).flatMap { step in rows.map { alone.losses[step * Self.batch + $0] } }
            let areLossesSame = together.losses == own
            #expect(areLossesSame)
        }
    }

    /// Both ask for the sum; it is made once.
    @Test(arguments: [false, true])
    func twoTrainersOfOneModelHaveTheBitsOfOne(tied: Bool) throws {
        let world = try TestWorld.communicator()
        let (whole, divided) = (model(tied: tied), model(tied: tied))
        func train(_ model: HybridSequential, _ patterns: [String]) throws -> [[Double]] {
            let parallel = try DataParallelBatch(model, batchSize: Self.batch, communicator: world)
            let trainers = try patterns.map {
                Trainer(try model.collectParams(select: $0), AdamRule(), combine: parallel.combine)
            }
            for step in 0..<3 {
                let tape = Tape()
                let context = parallel.begin(tape: tape, seed: 8, step: step)
                let ids = Tensor(
                    (0..<Self.steps * parallel.rows.count).map { Int32($0 % Self.words) },
                    shape: [Self.steps, parallel.rows.count])
                tape.backward(SoftmaxCrossEntropyLoss(batchAxis: 1)(model(Variable(ids), context), ids, context))
                if step == 1 { for trainer in trainers { try trainer.combineGradients() } }
                for trainer in trainers { try trainer.step(batchSize: Self.batch) }
            }
            return model.collectParameters().map { $0.data.doubles() }
        }
        let isSame = try train(whole, [".*"]) == train(divided, ["lm_gru_.*", "lm_(embedding|dense)_.*"])
        #expect(isSame)
    }

    /// What the plan of single leaves is for: without it the tied model's bits follow the ranks.
    @Test func sharedParametersNeedTheirOwnLeaves() throws {
        let tied = try train(model(tied: true), SGDRule(), on: SelfCommunicator())
        let joined = try train(model(tied: true), SGDRule(), on: SelfCommunicator(), separatesLeaves: false)
        #expect(tied.batch.leaves.subtrees.count == 8 && joined.batch.leaves.subtrees.count == 1)
        let tiedDiffers = tied.values != joined.values
        #expect(tiedDiffers)
        let plain = try train(model(tied: false), SGDRule(), on: SelfCommunicator())
        let separate = try train(model(tied: false), SGDRule(), on: SelfCommunicator(), separatesLeaves: true)
        #expect(plain.batch.leaves.subtrees.count == 1)
        let plainIsSame = plain.values == separate.values
        #expect(plainIsSame)
    }

    @Test func whatCannotBeSummedIsRefused() throws {
        let unknown = Dense(units: 3)
        unknown.initialize()
        #expect(throws: EngineError.self) {
            try DataParallelBatch(unknown, batchSize: 4, communicator: SelfCommunicator())
        }
        let adding = Dense(units: 3, inUnits: 2)
        adding.initialize()
        adding.weight.gradientRequirement = .add
        #expect {
            try DataParallelBatch(adding, batchSize: 4, communicator: SelfCommunicator())
        } throws: {
            "\($0)".contains("requirement add")
        }
        let twice = Dense(units: 3, inUnits: 2)
        twice.initialize()
        let first = try DataParallelBatch(twice, batchSize: 4, communicator: SelfCommunicator())
        #expect {
            try DataParallelBatch(twice, batchSize: 2, communicator: SelfCommunicator())
        } throws: {
            "\($0)".contains("another DataParallelBatch")
        }
        #expect(first.rows == 0..<4)
        let world = try TestWorld.communicator()
        guard world.size > 1 else { return }
        let small = Dense(units: 3, inUnits: 2)
        small.initialize()
        #expect {
            try DataParallelBatch(small, batchSize: 1, communicator: world)
        } throws: {
            "\($0)".contains("\(world.size) ranks do not fit a batch of 1 row,")
        }
    }
}
