import BatonKernels
import BatonTestSupport
import Testing

/// What weight-gradient kernels say of rows they have finished, so that others can send them away: it is true, and the
/// packed kernels say it of both weights, row after row. Those on OpenBLAS, and chains that go on over chunks, say nothing.
@Suite struct FinishedRowsTests {
    @Test(arguments: kernelsUnderTest.indices, RecurrentKind.allCases)
    func finishedRowsHaveTheirLastValues(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let shape = NamedShape("tails", steps: 4, batch: 7, inputSize: 21, hidden: 101)
            let layer = LayerCase<Kernels.Scalar>(cell, shape)
            let (first, second) = (layer.parameters.inputWeight.count, layer.parameters.hiddenWeight.count)
            let leaves = LeafPlan.whole(rows: shape.batch).leaves
            // One subtree, as many as a third rank has, and chains that go on over chunks.
            for (subtrees, chunk) in [([0..<4], nil), ([0..<2, 2..<3], nil), ([0..<1, 1..<2, 2..<3, 3..<4], 2)] {
                var options = LayerRun<Kernels>.Options()
                let held = leaves.prefix(subtrees.last?.upperBound ?? 0)
                options.rows = 0..<(held.last?.upperBound ?? 0)
                options.plan = LeafPlan(leaves: Array(held), subtrees: subtrees)
                options.chunk = chunk
                let run = LayerRun(layer, on: kernels, options)
                let name = "\(kernels), \(cell), \(subtrees)"
                #expect(!run.parameterGradients.isEmpty)
                guard kernels.isPacked, chunk == nil else {
                    #expect(run.finished.isEmpty, "\(name)")
                    continue
                }
                for (elements, values) in run.finished {
                    let areLast = values.map { bits($0) } == run.parameterGradients.map { bits($0[elements]) }
                    #expect(areLast, "\(elements), \(name)")
                }
                for weight in [0..<first, first..<first + second] {
                    let told = run.finished.map(\.elements).filter { weight.contains($0.lowerBound) }
                    let borders = told.map(\.lowerBound) + [weight.upperBound]
                    #expect(told.map(\.upperBound) == Array(borders.dropFirst()), "\(name)")
                    #expect(told.count > 1 && told.first?.lowerBound == weight.lowerBound, "\(name)")
                }
            }
        }
        check(kernelsUnderTest[kernels])
    }
}
