import BatonKernelABI
import BatonTestSupport
import Testing

@testable import BatonKernels

/// Gates that are computed again against gates that are kept: the same bits, and less memory.
@Suite struct RecomputationTests {
    static let cases = kernelsUnderTest.indices.flatMap { kernels in RecurrentKind.allCases.map { (kernels, $0) } }

    /// Odd lengths, chunks that do not divide them, and schedules that cut elsewhere. OpenBLAS takes chunks of 32 steps,
    /// so it needs a window of several.
    @Test(arguments: cases)
    func `recomputed windows have the bits of kept ones`(kernels: Int, cell: RecurrentKind) {
        for shape in [
            NamedShape("tails", steps: 7, batch: 11, inputSize: 21, hidden: 37),
            NamedShape("long", steps: 75, batch: 5, inputSize: 9, hidden: 18),
            NamedShape("one row", steps: 71, batch: 1, inputSize: 16, hidden: 8),
        ] {
            for reverse in [false, true] {
                Self.check(
                    kernelsUnderTest[kernels], cell, shape, reverse: reverse, projection: nil, clip: nil)
            }
        }
    }

    @Test(arguments: kernelsUnderTest.indices)
    func `projected and limited layers too`(kernels: Int) {
        for reverse in [false, true] {
            Self.check(
                kernelsUnderTest[kernels], .lstm, NamedShape("p", steps: 69, batch: 6, inputSize: 10, hidden: 21),
                reverse: reverse, projection: 13, clip: StateClip(lower: -0.3, upper: 0.2))
        }
    }

    private static func check<Kernels: KernelsUnderTest>(
        _ kernels: Kernels, _ cell: RecurrentKind, _ shape: NamedShape, reverse: Bool, projection: Int?,
        clip: StateClip?
    ) {
        let layer = LayerCase<Kernels.Scalar>(
            cell, shape, twoChains: true, reverse: reverse, projection: projection, stateClip: clip)
        for givesStates in [true, false] {
            var options = LayerRun<Kernels>.Options()
            options.givesStates = givesStates
            let kept = LayerRun(layer, on: kernels, options)
            for chunk in [1, 3, 40, shape.steps] {
                for cuts in [[], [2, 5, 33]] {
                    options.chunk = chunk
                    options.cuts = cuts
                    let again = LayerRun(layer, on: kernels, options, times: 2)
                    let name = "\(kernels), \(cell), \(shape), reverse \(reverse), chunk \(chunk), cuts \(cuts)"
                    let isSame = kept.everything == again.everything
                    #expect(isSame, "\(name)")
                    #expect(!again.touchedPadding, "\(name)")
                }
            }
        }
    }

    @Test(arguments: cases)
    func `recomputed gradients match the oracle`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let layer = LayerCase<Kernels.Scalar>(
                cell, NamedShape("long", steps: 67, batch: 6, inputSize: 12, hidden: 17))
            var options = LayerRun<Kernels>.Options()
            options.chunk = 9
            for violation in LayerRun(layer, on: kernels, options).violations("\(kernels), \(cell)") {
                Issue.record("\(violation)")
            }
        }
        check(kernelsUnderTest[kernels])
    }

    @Test(arguments: cases)
    func `a recomputed window holds less memory`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let layer = LayerCase<Kernels.Scalar>(
                cell, NamedShape("long", steps: 400, batch: 4, inputSize: 16, hidden: 16))
            var options = LayerRun<Kernels>.Options()
            let kept = LayerRun(layer, on: kernels, options).workspaceBytes
            options.chunk = 32
            let again = LayerRun(layer, on: kernels, options).workspaceBytes
            #expect(kept > 0 && again * 3 < kept, "\(kernels), \(cell): \(again) bytes instead of \(kept)")
        }
        check(kernelsUnderTest[kernels])
    }

    @Test func `chunks are chosen by memory, and long windows only are recomputed`() {
        let shape = RecurrentShape(cell: .lstm, inputChains: [64], hidden: 64)
        let leaves = LeafPlan.whole(rows: 32)
        #expect(Recomputation.automatic.chunk(shape, steps: 16, leaves: leaves) == nil)
        // √1024; a quarter of 8 leaves' sums is less.
        #expect(Recomputation.automatic.chunk(shape, steps: 1024, leaves: leaves) == 32)
        // 8·(256·130) sums over 4·8 rows of 448 elements.
        #expect(Recomputation.automatic.chunk(shape, steps: 200, leaves: .whole(rows: 8)) == 18)
        #expect(Recomputation.chunks(of: 5).chunk(shape, steps: 3, leaves: leaves) == 3)
        #expect(Recomputation.chunks(of: 5).chunk(shape, steps: 0, leaves: leaves) == nil)
        #expect(Recomputation.chunks(of: 5).chunk(shape, steps: 9, leaves: .whole(rows: 0)) == nil)
    }
}
