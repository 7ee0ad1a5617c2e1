import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
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
        expect(width, "g_l0_i2h_weight", "[12, 3]", "[12, 5]")
        let dense = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layer = Dense(units: 2, inUnits: 4, prefix: "d_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [1, 3])), .inference(rows: 1))
        }
        expect(dense, "d_weight", "[2, 4]")
        let token = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let table = Embedding(inputDim: 3, outputDim: 2, prefix: "t_")
            table.initialize(seed: 1)
            _ = table(Variable(Tensor([Int32(7)], shape: [1])), .inference(rows: 1))
        }
        expect(token, "id 7", "3 rows of t_weight")
        let label = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = SoftmaxCrossEntropyLoss()(
                Variable(Tensor(zeros: [1, 3])), Tensor([Int32(9)], shape: [1]), .inference(rows: 1))
        }
        expect(label, "9", "3")
    }

    @Test func theMessageOfTheLowestFloorIsPrinted() async {
        let clip = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = StateClip(lower: 1, upper: -1)
        }
        expect(clip, "StateClip: expected lower ≤ upper, got 1.0 and -1.0")
        let fraction = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let table = Embedding(inputDim: 3, outputDim: 2, prefix: "t_")
            table.initialize(seed: 1)
            _ = table(Variable(Tensor([Float(1.5)], shape: [1])), .inference(rows: 1))
        }
        expect(fraction, "id 1.5 is no whole number")
    }

    /// A training with them would end in NaN, or go uphill.
    @Test func numbersThatNoTrainingHasAreNamed() async {
        let bound = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try clipGlobalNorm([Tensor(zeros: [2])], maximum: -1)
        }
        expect(bound, "clipGlobalNorm: expected maximum ≥ 0, got -1.0")
        let mean = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = AdamRule(beta1: 2)
        }
        expect(mean, "AdamRule: expected beta1 and beta2 in [0, 1)", "got 2.0")
        let average = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = RMSPropRule(gamma1: .nan)
        }
        expect(average, "RMSPropRule: expected gamma1 and gamma2 in [0, 1)", "got nan")
        let rate = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Trainer(ParameterDict(), SGDRule(), learningRate: .nan)
        }
        expect(rate, "Trainer: expected a learning rate that is a number, got nan")
    }

    @Test func sizesThatNoTensorHasAreNamed() async {
        let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor(zeros: [1 << 40, 1 << 40])
        }
        expect(shape, "Tensor: shape [1099511627776, 1099511627776] of float32 has more bytes")
        let rows = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ForwardContext.inference(rows: -1)
        }
        expect(rows, "LeafPlan: expected 0 or more rows, got -1")
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

    private func expect(
        _ result: ExitTest.Result?, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        for part in parts { #expect(text.contains(part), "\(text)", sourceLocation: sourceLocation) }
    }

    @Test func anInputOfAnotherWidthIsRefused() async {
        await #expect(processExitsWith: .failure) {
            let layer = GRU(hiddenSize: 4, inputSize: 3, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 1, 5])), .inference(rows: 1))
        }
    }

    @Test func anLSTMNeedsBothStates() async {
        await #expect(processExitsWith: .failure) {
            let layer = LSTM(hiddenSize: 4, inputSize: 3, prefix: "l_")
            layer.initialize(seed: 1)
            let state = Variable(Tensor(zeros: [1, 1, 4]))
            _ = layer(Variable(Tensor(zeros: [2, 1, 3])), states: [state], .inference(rows: 1))
        }
    }

    @Test(arguments: [[3, 1], [3], [-1, 2]]) func lengthsMustFitTheInput(_ lengths: [Int]) async {
        await #expect(processExitsWith: .failure) { [lengths] in
            let layer = GRU(hiddenSize: 4, inputSize: 3, useSequenceLength: true, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 2, 3])), sequenceLength: lengths, .inference(rows: 2))
        }
    }

    @Test func lengthsBelongToLayersThatUseThem() async {
        await #expect(processExitsWith: .failure) {
            let layer = GRU(hiddenSize: 4, inputSize: 3, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 1, 3])), sequenceLength: [1], .inference(rows: 1))
        }
        await #expect(processExitsWith: .failure) {
            let layer = GRU(hiddenSize: 4, inputSize: 3, useSequenceLength: true, prefix: "g_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [2, 1, 3])), .inference(rows: 1))
        }
    }

    @Test func parametersMustBeInitialised() async {
        await #expect(processExitsWith: .failure) {
            let layer = Dense(units: 2, inUnits: 3, prefix: "d_")
            _ = layer(Variable(Tensor(zeros: [1, 3])), .inference(rows: 1))
        }
    }

    @Test func aTokenOutsideTheTableIsRefused() async {
        await #expect(processExitsWith: .failure) {
            let table = Embedding(inputDim: 3, outputDim: 2, prefix: "t_")
            table.initialize(seed: 1)
            _ = table(Variable(Tensor([Int32(3)], shape: [1])), .inference(rows: 1))
        }
    }

    @Test func theBatchMustHaveTheLeafPlansRows() async {
        await #expect(processExitsWith: .failure) {
            let layer = Dense(units: 2, inUnits: 3, prefix: "d_")
            layer.initialize(seed: 1)
            _ = layer(Variable(Tensor(zeros: [4, 3])), .inference(rows: 5))
        }
    }

    @Test(arguments: [-0.1, 1.0]) func aDropoutRateOutsideZeroToOneIsRefused(_ rate: Double) async {
        await #expect(processExitsWith: .failure) { [rate] in _ = Dropout(rate: rate) }
    }
}
