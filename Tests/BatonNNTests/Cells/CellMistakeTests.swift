import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Foundation
import Testing

/// Mistakes end the process with a sentence that names what was wrong, also in a release build.
@Suite struct CellMistakeTests {
    @Test func aBidirectionalCellCannotBeStepped() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = BidirectionalCell(GRUCell(hiddenSize: 2, inputSize: 1), GRUCell(hiddenSize: 2, inputSize: 1))
            cell.initialize(seed: 1)
            _ = cell(Variable(Tensor(zeros: [1, 1])), states: cell.beginState(batchSize: 1), .inference(rows: 1))
        }
        #expect(
            Complaint.missing("BidirectionalCell cannot be stepped", "unroll", in: result?.standardErrorContent) == nil)
    }

    @Test(arguments: [1, 3, 4]) func statesOfAStackAreCounted(_ count: Int) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [count = count as Int] in
            let stack = SequentialRNNCell(
                prefix: "s_", [RNNCell(hiddenSize: 2, inputSize: 1), RNNCell(hiddenSize: 2, inputSize: 2)])
            stack.initialize(seed: 1)
            let states = (0..<count).map { _ in Variable(Tensor(zeros: [1, 2])) }
            _ = stack.unroll(Variable(Tensor(zeros: [1, 3, 1])), beginState: states, .inference(rows: 1))
        }
        #expect(Complaint.missing("s: expected 2 states, got \(count)", in: result?.standardErrorContent) == nil)
    }

    @Test func statesOfAnotherShapeAreRefusedByAPair() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let pair = BidirectionalCell(GRUCell(hiddenSize: 2, inputSize: 1), GRUCell(hiddenSize: 2, inputSize: 1))
            pair.initialize(seed: 1)
            let states = [2, 9].map { Variable(Tensor(zeros: [1, $0])) }
            _ = pair.unroll(Variable(Tensor(zeros: [1, 3, 1])), beginState: states, .inference(rows: 1))
        }
        #expect(
            Complaint.missing("expected a state [1, 2] of float32, got [1, 9]", in: result?.standardErrorContent) == nil
        )
    }

    @Test func aCellHasOneModifier() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            _ = ResidualCell(cell)
            _ = ZoneoutCell(cell)
        }
        #expect(
            Complaint.missing(
                "g_ is wrapped by a modifier already".replacing("g_", with: "g"), in: result?.standardErrorContent)
                == nil)
    }

    @Test func aModifiedBaseGivesNoStates() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            let modifier = ResidualCell(cell)
            _ = modifier.beginState(batchSize: 1)
            _ = cell.beginState(batchSize: 1)
        }
        #expect(Complaint.missing("ask the modifier for initial states", in: result?.standardErrorContent) == nil)
    }

    @Test func zoneoutAndStateDropoutNeedACellThatCanBeStepped() async {
        let zoneout = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ZoneoutCell(
                SequentialRNNCell([BidirectionalCell(GRUCell(hiddenSize: 2), GRUCell(hiddenSize: 2))]))
        }
        #expect(Complaint.missing("ZoneoutCell", "cannot be stepped", in: zoneout?.standardErrorContent) == nil)
        let dropout = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = BidirectionalCell(GRUCell(hiddenSize: 2), GRUCell(hiddenSize: 2))
            _ = VariationalDropoutCell(cell, dropInputs: 0.1)
            cell.hybridize()
            _ = VariationalDropoutCell(
                BidirectionalCell(GRUCell(hiddenSize: 2), GRUCell(hiddenSize: 2)), dropStates: 0.1)
        }
        #expect(
            Complaint.missing("VariationalDropoutCell", "cannot be stepped", in: dropout?.standardErrorContent) == nil)
    }

    @Test func aResidualNeedsEqualWidths() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = ResidualCell(GRUCell(hiddenSize: 2))
            cell.initialize(seed: 1)
            _ = cell.unroll(Variable(Tensor(zeros: [1, 2, 3])), .inference(rows: 1))
        }
        #expect(Complaint.missing("widths must agree", in: result?.standardErrorContent) == nil)
    }

    @Test func lengthsBeyondTheSequenceAreRefused() async {
        let long = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            cell.initialize(seed: 1)
            _ = cell.unroll(
                Variable(Tensor(zeros: [1, 2, 3])), validLength: Tensor([Int32(3)], shape: [1]), .inference(rows: 1))
        }
        #expect(
            Complaint.missing("g: expected 1 valid lengths from 0 to 2, got [3]", in: long?.standardErrorContent) == nil
        )
        let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            cell.initialize(seed: 1)
            _ = cell.unroll(
                Variable(Tensor(zeros: [1, 2, 3])), validLength: Tensor([-1.0], shape: [1]), .inference(rows: 1))
        }
        #expect(Complaint.missing("got [-1]", in: negative?.standardErrorContent) == nil)
        let steps = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            cell.initialize(seed: 1)
            _ = cell.unroll(Variable(Tensor(zeros: [1, 2, 3])), length: 5, .inference(rows: 1))
        }
        #expect(
            Complaint.missing("expected 5 steps, as the length says, got 2", in: steps?.standardErrorContent) == nil)
    }

    @Test func sizesAndRatesAreChecked() async {
        let size = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = LSTMCell(hiddenSize: 0)
        }
        #expect(Complaint.missing("hiddenSize ≥ 1, got 0", in: size?.standardErrorContent) == nil)
        let rate = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = DropoutCell(rate: 1.5)
        }
        #expect(
            Complaint.missing("DropoutCell: expected a rate in [0, 1], got 1.5", in: rate?.standardErrorContent) == nil)
        let shared = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ZoneoutCell(GRUCell(hiddenSize: 1), zoneoutOutputs: 0.1, zoneoutStates: 0.2, sharesOutputMask: true)
        }
        #expect(Complaint.missing("one mask needs one probability", in: shared?.standardErrorContent) == nil)
    }

    @Test func aSharedParameterOfAnotherSizeIsRefusedNamingBoth() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, inputSize: 3, prefix: "g_")
            _ = GRUCell(hiddenSize: 4, inputSize: 3, params: cell.params)
        }
        #expect(Complaint.missing("g_i2h_weight", "[6, 3]", "[12, 3]", in: result?.standardErrorContent) == nil)
    }

    @Test func anAbstractCellSaysWhatToOverride() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            final class Empty: RecurrentCell {}
            _ = Empty(BlockOutline(prefix: nil, hint: "empty")).beginState(batchSize: 1)
        }
        #expect(Complaint.missing("must override stateInfo", in: result?.standardErrorContent) == nil)
    }
}
