import BatonKernelABI
import BatonKernels
import BatonTensor
import Testing

@Suite struct DropoutTests {
    private func mask(
        times: Int, rows: Int, width: Int, firstRow: UInt32 = 0, firstTime: UInt32 = 0, step: UInt32 = 0,
        name: String = "d", rate: Double = 0.3
    ) -> [Float] {
        let ones = Variable(Tensor(repeating: Float(1), shape: [times, rows, width]))
        let context = ForwardContext(
            isTraining: true, leaves: .whole(rows: rows),
            random: RandomKey(seed: 5, step: step, firstRow: firstRow, firstTime: firstTime))
        return context.dropout(ones, rate: rate, name: name).value.elements()
    }

    @Test func dropsTheRequestedFractionAndScalesTheRest() {
        let values = mask(times: 50, rows: 40, width: 100)
        let dropped = values.count { $0 == 0 }
        // Binomial with n = 200000, p = 0.3: standard deviation 205; five of them.
        #expect(abs(dropped - 60_000) < 1_025)
        #expect(values.allSatisfy { $0 == 0 || $0 == Float(1 / (1 - 19_661 * 0x1p-16)) })
    }

    /// Kept elements make up for those that were really dropped, however close to 1 the rate is.
    @Test(arguments: [1e-9, 0.1, 0.9999, 0.999999]) func theExpectationIsTheInput(_ rate: Double) {
        let key = RandomKey(seed: 1)
        let mask = key.dropoutMask(name: "d", rate: rate, times: 1, rows: 1, width: 1)
        let kept = 1 - Double(mask.threshold) * 0x1p-32
        #expect(kept > 0 && mask.scale * kept == 1 && abs(1 - kept - rate) <= 0x1p-16)
    }

    /// A layer that is called twice, as before and after another one, drops other elements the second time; the backward
    /// pass drops those of its call.
    @Test func callsOnOneTapeHaveIndependentMasks() {
        let ones = Variable(Tensor(repeating: Float(1), shape: [5, 4, 100]), requiresGradient: true)
        let tape = Tape()
        let context = ForwardContext.training(rows: 4, tape: tape, random: RandomKey(seed: 5))
        func calls(_ axes: [Int]) -> [[Float]] {
            (0..<3).map { _ in
                context.dropout(ones, rate: 0.5, name: "d\(axes)", sharedAxes: axes).value.elements(as: Float.self)
            }
        }
        for axes in [[], [0]] {
            let values = calls(axes)
            for (one, other) in [(0, 1), (0, 2), (1, 2)] {
                // Binomial with n = 2000 or, shared by the steps, 400 draws of 1/4: five standard deviations.
                let both = zip(values[one], values[other]).count { $0 == 0 && $1 == 0 }
                #expect(abs(both - 500) < (axes.isEmpty ? 100 : 220), "\(both)")
            }
            tape.clear()
            #expect(calls(axes) == values, "the next pass begins anew")
            tape.clear()
        }
        let first = context.dropout(ones, rate: 0.5, name: "d")
        let second = context.dropout(first, rate: 0.5, name: "d")
        tape.backward(from: [(second, Tensor(repeating: Float(1), shape: ones.shape))])
        #expect(ones.gradient?.elements(as: Float.self) == second.value.elements(as: Float.self))
    }

    @Test func theMaskDoesNotDependOnHowBatchAndWindowAreCut() {
        let whole = mask(times: 6, rows: 5, width: 70)
        let rows = mask(times: 6, rows: 2, width: 70, firstRow: 3)
        let steps = mask(times: 2, rows: 5, width: 70, firstTime: 4)
        for time in 0..<6 {
            for row in 0..<2 {
                let left = whole[(time * 5 + row + 3) * 70..<(time * 5 + row + 4) * 70]
                #expect(Array(left) == Array(rows[(time * 2 + row) * 70..<(time * 2 + row + 1) * 70]))
            }
        }
        #expect(Array(whole[4 * 5 * 70..<6 * 5 * 70]) == steps)
    }

    @Test func stepLayerAndUnitsDrawDifferentNumbers() {
        let first = mask(times: 2, rows: 3, width: 256)
        #expect(first != mask(times: 2, rows: 3, width: 256, step: 1))
        #expect(first != mask(times: 2, rows: 3, width: 256, name: "e"))
        // Neighbouring groups, halves of a word, words, rows.
        for distance in [16, 64, 128, 256] { #expect(first[0..<16] != first[distance..<distance + 16]) }
    }

    @Test func bothElementTypesUseTheSameMask() {
        let context = ForwardContext(
            isTraining: true, leaves: .whole(rows: 3),
            random: RandomKey(seed: 5, step: 7, firstRow: 4, firstTime: 9))
        let wide = context.dropout(Variable(Tensor(repeating: 1.0, shape: [2, 3, 77])), rate: 0.3, name: "d").value
        let narrow = mask(times: 2, rows: 3, width: 77, firstRow: 4, firstTime: 9, step: 7)
        #expect(wide.elements(as: Double.self).map { $0 == 0 } == narrow.map { $0 == 0 })
    }

    /// A shared axis counts as index 0 wherever the part of the batch or of the window begins.
    @Test func masksOfSharedAxesDoNotDependOnTheCut() {
        func mask(_ axes: [Int], layout: SequenceLayout = .TNC, firstRow: UInt32 = 0, firstTime: UInt32 = 0) -> [Float]
        {
            let context = ForwardContext(
                isTraining: true, leaves: .whole(rows: 3),
                random: RandomKey(seed: 5, firstRow: firstRow, firstTime: firstTime))
            return context.keepMask(
                [3, 3, 70], dtype: .float32, rate: 0.5, name: "d", sharedAxes: axes, layout: layout
            ).elements()
        }
        #expect(mask([1], firstRow: 8) == mask([1]) && mask([1], firstTime: 8) != mask([1]))
        #expect(mask([0], firstTime: 8) == mask([0]) && mask([0], firstRow: 8) != mask([0]))
        #expect(mask([0], layout: .NTC, firstRow: 8) == mask([0], layout: .NTC))
        #expect(mask([1], layout: .NTC, firstTime: 8) == mask([1], layout: .NTC))
    }

    @Test func predictionIsTheIdentity() {
        let x = Variable(Tensor(repeating: Float(1), shape: [2, 3, 4]))
        #expect(ForwardContext(leaves: .whole(rows: 3)).dropout(x, rate: 0.5, name: "d") === x)
    }
}
