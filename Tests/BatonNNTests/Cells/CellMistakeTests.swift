import BatonKernels
import BatonNN
import BatonTensor
import Foundation
import Testing

/// Mistakes end the process with a sentence that names what was wrong, also in a release build.
@Suite struct CellMistakeTests {
    private func expectMessage(
        _ parts: [String], sourceLocation: SourceLocation = #_sourceLocation, _ result: ExitTest.Result?
    ) {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        for part in parts { #expect(text.contains(part), sourceLocation: sourceLocation) }
    }

    @Test func aBidirectionalCellCannotBeStepped() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = BidirectionalCell(GRUCell(hiddenSize: 2, inputSize: 1), GRUCell(hiddenSize: 2, inputSize: 1))
            cell.initialize(seed: 1)
            _ = cell(Variable(Tensor(zeros: [1, 1])), states: cell.beginState(batchSize: 1), .inference(rows: 1))
        }
        expectMessage(["BidirectionalCell cannot be stepped", "unroll"], result)
    }

    @Test func aCellHasOneModifier() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            _ = ResidualCell(cell)
            _ = ZoneoutCell(cell)
        }
        expectMessage(["g_ is wrapped by a modifier already".replacing("g_", with: "g")], result)
    }

    @Test func aModifiedBaseGivesNoStates() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            let modifier = ResidualCell(cell)
            _ = modifier.beginState(batchSize: 1)
            _ = cell.beginState(batchSize: 1)
        }
        expectMessage(["ask the modifier for initial states"], result)
    }

    @Test func zoneoutAndStateDropoutNeedACellThatCanBeStepped() async {
        let zoneout = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ZoneoutCell(
                SequentialRNNCell([BidirectionalCell(GRUCell(hiddenSize: 2), GRUCell(hiddenSize: 2))]))
        }
        expectMessage(["ZoneoutCell", "cannot be stepped"], zoneout)
        let dropout = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = BidirectionalCell(GRUCell(hiddenSize: 2), GRUCell(hiddenSize: 2))
            _ = VariationalDropoutCell(cell, dropInputs: 0.1)
            cell.hybridize()
            _ = VariationalDropoutCell(
                BidirectionalCell(GRUCell(hiddenSize: 2), GRUCell(hiddenSize: 2)), dropStates: 0.1)
        }
        expectMessage(["VariationalDropoutCell", "cannot be stepped"], dropout)
    }

    @Test func aResidualNeedsEqualWidths() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = ResidualCell(GRUCell(hiddenSize: 2))
            cell.initialize(seed: 1)
            _ = cell.unroll(Variable(Tensor(zeros: [1, 2, 3])), .inference(rows: 1))
        }
        expectMessage(["widths must agree"], result)
    }

    @Test func lengthsBeyondTheSequenceAreRefused() async {
        let long = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            cell.initialize(seed: 1)
            _ = cell.unroll(
                Variable(Tensor(zeros: [1, 2, 3])), validLength: Tensor([Int32(3)], shape: [1]), .inference(rows: 1))
        }
        expectMessage(["g: expected 1 valid lengths from 0 to 2, got [3]"], long)
        let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            cell.initialize(seed: 1)
            _ = cell.unroll(
                Variable(Tensor(zeros: [1, 2, 3])), validLength: Tensor([-1.0], shape: [1]), .inference(rows: 1))
        }
        expectMessage(["got [-1]"], negative)
        let steps = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, prefix: "g_")
            cell.initialize(seed: 1)
            _ = cell.unroll(Variable(Tensor(zeros: [1, 2, 3])), length: 5, .inference(rows: 1))
        }
        expectMessage(["expected 5 steps, as the length says, got 2"], steps)
    }

    @Test func sizesAndRatesAreChecked() async {
        let size = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = LSTMCell(hiddenSize: 0)
        }
        expectMessage(["hiddenSize ≥ 1, got 0"], size)
        let rate = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = DropoutCell(rate: 1.5)
        }
        expectMessage(["DropoutCell: expected a rate in [0, 1], got 1.5"], rate)
        let shared = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ZoneoutCell(GRUCell(hiddenSize: 1), zoneoutOutputs: 0.1, zoneoutStates: 0.2, sharesOutputMask: true)
        }
        expectMessage(["one mask needs one probability"], shared)
    }

    @Test func aSharedParameterOfAnotherSizeIsRefusedNamingBoth() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let cell = GRUCell(hiddenSize: 2, inputSize: 3, prefix: "g_")
            _ = GRUCell(hiddenSize: 4, inputSize: 3, params: cell.params)
        }
        expectMessage(["g_i2h_weight", "[6, 3]", "[12, 3]"], result)
    }

    @Test func anAbstractCellSaysWhatToOverride() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            final class Empty: RecurrentCell {}
            _ = Empty(BlockOutline(prefix: nil, hint: "empty")).beginState(batchSize: 1)
        }
        expectMessage(["must override stateInfo"], result)
    }
}
