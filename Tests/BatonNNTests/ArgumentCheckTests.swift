import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// A programmer's mistake ends the process instead of computing something else.
@Suite struct ArgumentCheckTests {
    /// The sentence reaches the user of a release build, where `precondition` is silent.
    @Test func theMessageIsPrinted() async throws {
        let width = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = GRU(hiddenSize: 4, inputSize: 3, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 1, 5])), .inference(rows: 1))
        }
        #expect(Complaint.missing("g_l0_i2h_weight", "[12, 3]", "[12, 5]", in: width?.standardErrorContent) == nil)
        let dense = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 2, inUnits: 4, prefix: "d_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [1, 3])), .inference(rows: 1))
        }
        #expect(Complaint.missing("d_weight", "[2, 4]", in: dense?.standardErrorContent) == nil)
        let token = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let table = Embedding(inputDim: 3, outputDim: 2, prefix: "t_")
            table.initialize(seed: 1)
            _ = table(Variable(Tensor([Int32(7)], shape: [1])), .inference(rows: 1))
        }
        #expect(Complaint.missing("id 7", "3 rows of t_weight", in: token?.standardErrorContent) == nil)
        let label = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = SoftmaxCrossEntropyLoss()(
                Variable(Tensor(zeros: [1, 3])), Tensor([Int32(9)], shape: [1]), .inference(rows: 1))
        }
        #expect(Complaint.missing("label 9.0 is none of the 3 classes", in: label?.standardErrorContent) == nil)
    }

    @Test func theMessageOfTheLowestFloorIsPrinted() async {
        let clip = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = StateClip(lower: 1, upper: -1)
        }
        #expect(
            Complaint.missing("StateClip: expected lower ≤ upper, got 1.0 and -1.0", in: clip?.standardErrorContent)
                == nil)
        let fraction = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let table = Embedding(inputDim: 3, outputDim: 2, prefix: "t_")
            table.initialize(seed: 1)
            _ = table(Variable(Tensor([Float(1.5)], shape: [1])), .inference(rows: 1))
        }
        #expect(Complaint.missing("id 1.5 is no whole number", in: fraction?.standardErrorContent) == nil)
    }

    /// A training with them would end in NaN, or go uphill.
    @Test func numbersThatNoTrainingHasAreNamed() async {
        let bound = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try clipGlobalNorm([Tensor(zeros: [2])], maximum: -1)
        }
        #expect(
            Complaint.missing("clipGlobalNorm: expected maximum ≥ 0, got -1.0", in: bound?.standardErrorContent) == nil)
        let mean = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = AdamRule(beta1: 2)
        }
        #expect(
            Complaint.missing("AdamRule: expected beta1 and beta2 in [0, 1)", "got 2.0", in: mean?.standardErrorContent)
                == nil)
        let average = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = RMSPropRule(gamma1: .nan)
        }
        #expect(
            Complaint.missing(
                "RMSPropRule: expected gamma1 and gamma2 in [0, 1)", "got nan", in: average?.standardErrorContent)
                == nil)
        let rate = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Trainer(ParameterDict(), SGDRule(), learningRate: .nan)
        }
        #expect(
            Complaint.missing(
                "Trainer: expected a learning rate that is a number, got nan", in: rate?.standardErrorContent) == nil)
    }

    @Test func sizesThatNoTensorHasAreNamed() async {
        let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor(zeros: [1 << 40, 1 << 40])
        }
        #expect(
            Complaint.missing(
                "Tensor: shape [1099511627776, 1099511627776] of float32 has more bytes",
                in: shape?.standardErrorContent) == nil)
        let rows = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ForwardContext.inference(rows: -1)
        }
        #expect(Complaint.missing("LeafPlan: expected 0 or more rows, got -1", in: rows?.standardErrorContent) == nil)
    }

    /// Gluon's numbers of rows are often float32.
    @Test func idsMayBeFloats() {
        let table = Embedding(inputDim: 3, outputDim: 2, prefix: "t_")
        table.initialize(seed: 1)
        let rows = [Tensor([Int32(2), 0], shape: [1, 2]), Tensor([Float(2), 0], shape: [1, 2])].map {
            table(Variable($0), .inference(rows: 2)).value.doubles()
        }
        #expect(rows[0] == rows[1] && Set(rows[0]).count == 4)
    }

    @Test func anLSTMNeedsBothStates() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = LSTM(hiddenSize: 4, inputSize: 3, prefix: "l_")
            layer.initialize(seed: 1)
            let state = Variable(Tensor(zeros: [1, 1, 4]))
            _ = layer(Variable(Tensor(zeros: [2, 1, 3])), states: [state], .inference(rows: 1))
        }
        #expect(Complaint.missing("expected 2 states, got 1", in: result?.standardErrorContent) == nil)
    }

    @Test(arguments: [[3, 1], [3], [-1, 2]]) func lengthsMustFitTheInput(_ lengths: [Int]) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [lengths] in
            let layer = GRU(hiddenSize: 4, inputSize: 3, useSequenceLength: true, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 2, 3])), sequenceLength: lengths, .inference(rows: 2))
        }
        #expect(Complaint.missing("expected 2 lengths from 0 to 2, got", in: result?.standardErrorContent) == nil)
    }

    @Test func lengthsBelongToLayersThatUseThem() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = GRU(hiddenSize: 4, inputSize: 3, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 1, 3])), sequenceLength: [1], .inference(rows: 1))
        }
        #expect(
            Complaint.missing("lengths are given to a layer that does not use them", in: result?.standardErrorContent)
                == nil)
        let other = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = GRU(hiddenSize: 4, inputSize: 3, useSequenceLength: true, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 1, 3])), .inference(rows: 1))
        }
        #expect(
            Complaint.missing("useSequenceLength asks for the lengths of 1 rows", in: other?.standardErrorContent)
                == nil)
    }

    @Test func parametersMustBeInitialised() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 2, inUnits: 3, prefix: "d_")
            _ = layer(Variable(Tensor(zeros: [1, 3])), .inference(rows: 1))
        }
        #expect(
            Complaint.missing("Parameter d_weight: used before it was initialised", in: result?.standardErrorContent)
                == nil)
    }

    @Test func theBatchMustHaveTheLeafPlansRows() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 2, inUnits: 3, prefix: "d_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [4, 3])), .inference(rows: 5))
        }
        #expect(
            Complaint.missing("linear: the context is for 5 rows, and [4, 3] has 4;", in: result?.standardErrorContent)
                == nil)
    }

    /// Rows and times exchanged would drop by other numbers on every rank.
    @Test func dropoutOfTheOtherLayoutIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let block = Dropout(rate: 0.5, prefix: "drop_")
            let context = ForwardContext.training(rows: 2, tape: Tape(), random: RandomKey(seed: 0))
            _ = block(Variable(Tensor(zeros: [2, 5, 3])), context)
        }
        #expect(
            Complaint.missing(
                "drop: the context is for 2 rows, and [2, 5, 3] has 5 as TNC; if they lie the other way, say so with layout:",
                in: result?.standardErrorContent) == nil)
    }

    @Test(arguments: [-0.1, 1.0]) func aDropoutRateOutsideZeroToOneIsRefused(_ rate: Double) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [rate] in
            _ = Dropout(rate: rate)
        }
        #expect(Complaint.missing("Dropout: expected a rate in [0, 1)", in: result?.standardErrorContent) == nil)
    }

    @Test func labelsWhoseAxesAreExchangedAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let context = ForwardContext.inference(rows: 2)
            let loss = SoftmaxCrossEntropyLoss(batchAxis: 1)
            _ = loss(Variable(Tensor(zeros: [3, 2, 4])), Tensor(zeros: [2, 3]), context)
        }
        #expect(
            Complaint.missing(
                "SoftmaxCrossEntropyLoss: expected labels [3, 2] for predictions [3, 2, 4], got [2, 3]",
                in: result?.standardErrorContent) == nil)
        let squares = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = L2Loss()(Variable(Tensor(zeros: [3, 2, 1])), Tensor(zeros: [2, 3]), .inference(rows: 3))
        }
        #expect(Complaint.missing("expected a label for each of [3, 2, 1]", in: squares?.standardErrorContent) == nil)
    }

    @Test func aGradientThroughWeightsThatHaveChangedIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 2, inUnits: 3, prefix: "d_")
            layer.initialize(seed: 1)
            let tape = Tape()
            let input = Variable(Tensor(zeros: [4, 3]), requiresGradient: true)
            let output = layer(input, .training(rows: 4, tape: tape, random: RandomKey(seed: 0)))
            layer.weight.setData(Tensor(zeros: [2, 3]))
            tape.backward(output)
        }
        #expect(
            Complaint.missing(
                "linear: d_weight has changed between forward and backward pass", in: result?.standardErrorContent)
                == nil)
    }

    @Test func walkingBackFromWhatWasNotRecordedIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 2, inUnits: 3)
            layer.initialize(seed: 1)
            Tape().backward(layer(Variable(Tensor(zeros: [4, 3])), .inference(rows: 4)))
        }
        #expect(
            Complaint.missing("Tape.backward: the objective was not recorded", in: result?.standardErrorContent) == nil)
    }

    @Test func aGradientOfUnknownShapeIsRefused() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 4, prefix: "d_")
            layer.initialize(seed: 1)
            _ = Trainer(try layer.collectParams(), SGDRule()).gradients
        }
        #expect(
            Complaint.missing(
                "Parameter d_weight: it has no gradient before the first forward pass", in: result?.standardErrorContent
            )
                == nil)
    }

    /// Whether it came is for each process to see, so it may not decide whether they sum again.
    @Test func aBackwardPassAfterTheSumIsRefused() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 2, inUnits: 3, prefix: "d_")
            layer.initialize(seed: 1)
            let trainer = Trainer(try layer.collectParams(), SGDRule()) { _ in }
            for pass in 0..<2 {
                let tape = Tape()
                let context = ForwardContext.training(rows: 4, tape: tape, random: RandomKey(seed: 0))
                tape.backward(layer(Variable(Tensor(zeros: [4, 3])), context))
                if pass == 0 { try trainer.combineGradients() }
            }
            try trainer.step(batchSize: 4)
        }
        #expect(
            Complaint.missing("Trainer.step: a backward pass reached d_bias after", in: result?.standardErrorContent)
                == nil)
    }

    @Test func anArenaOfParametersWithoutValuesIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ParameterArena(Dense(units: 4, inUnits: 2, prefix: "d_").collectParameters())
        }
        #expect(
            Complaint.missing("ParameterArena: d_weight has no values yet", in: result?.standardErrorContent) == nil)
    }

    /// Rates of single parameters are a `Trainer`'s.
    @Test func flatOptimisersRefuseRatesOfSingleParameters() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 4, inUnits: 2, prefix: "d_")
            layer.initialize(seed: 1)
            let optimizer = AdamW(ParameterArena(layer.collectParameters()), weightDecay: 0.1)
            optimizer.step()
            layer.bias?.weightDecayMultiplier = 0
            optimizer.step()
        }
        #expect(
            Complaint.missing("Optimizer.step: d_bias has rates of its own", in: result?.standardErrorContent) == nil)
    }

    @Test func aSecondArenaIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let weight = Parameter(name: "w", shape: [2])
            weight.setData(Tensor(zeros: [2]))
            withExtendedLifetime(ParameterArena([weight])) { _ = ParameterArena([weight]) }
        }
        #expect(Complaint.missing("ParameterArena: w is in another arena", in: result?.standardErrorContent) == nil)
    }
}
