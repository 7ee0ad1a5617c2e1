import BatonKernels
import BatonTestSupport
import Testing

/// What a run is held against.
extension LayerRun {
    /// The bits of every result.
    var everything: [[UInt64]] { values.map { bits($0) } }

    /// Every result, to compare by value.
    var values: [[Scalar]] {
        [output, finalHidden, finalCell, inputGradient, initialHiddenGradient, initialCellGradient]
            + (parameterGradients.isEmpty ? [[-1]] : parameterGradients)
    }

    var results: LayerResults<Scalar> {
        LayerResults(
            output: output, finalHidden: finalHidden, finalCell: finalCell, inputGradient: inputGradient,
            initialHiddenGradient: initialHiddenGradient, initialCellGradient: initialCellGradient,
            parameterGradients: parameterGradients)
    }

    /// Results of some rows at the first so many times.
    func rows(_ rows: Range<Int>, steps: Int) -> LayerResults<Scalar> {
        let batch = self.rows.count
        func window(_ values: [Scalar], _ width: Int) -> [Scalar] {
            (0..<steps).flatMap {
                values[($0 * batch + rows.lowerBound) * width..<($0 * batch + rows.upperBound) * width]
            }
        }
        func state(_ values: [Scalar], _ width: Int) -> [Scalar] {
            values.isEmpty ? [] : Array(values[rows.lowerBound * width..<rows.upperBound * width])
        }
        return LayerResults(
            output: window(output, layer.outputSize), finalHidden: state(finalHidden, layer.outputSize),
            finalCell: state(finalCell, layer.shape.hidden),
            inputGradient: window(inputGradient, layer.shape.inputSize),
            initialHiddenGradient: state(initialHiddenGradient, layer.outputSize),
            initialCellGradient: state(initialCellGradient, layer.shape.hidden))
    }

    /// The gradient of the parameters from so many processes with rows of their own, added up by the fixed tree.
    static func combinedGradient(
        of layer: LayerCase<Scalar>, processes: Int, on kernels: Kernels, _ options: Options = Options()
    ) -> [Scalar] {
        let batch = layer.shape.batch
        let leafCount = LeafPlan.leafCount(rows: batch)
        var sums: [Range<Int>: [Scalar]] = [:]
        var firstRow = 0
        for rank in 0..<processes {
            let plan = LeafPlan.part(rows: batch, leafCount: leafCount, rank: rank, size: processes)
            var options = options
            options.plan = plan
            options.rows = firstRow..<firstRow + plan.rowCount
            firstRow += plan.rowCount
            let firstLeaf = rank * leafCount / processes
            for (subtree, sum) in zip(plan.subtrees, LayerRun(layer, on: kernels, options).parameterGradients) {
                sums[subtree.lowerBound + firstLeaf..<subtree.upperBound + firstLeaf] = sum
            }
        }
        #expect(firstRow == batch, "\(processes) processes")
        return combineSubtrees(0..<leafCount, sums)
    }

    /// Where a run of the whole case departs from the oracle.
    func violations(_ name: String) -> [String] {
        let shape = layer.shape
        let states = options.givesStates
        let expected = layer.oracle.forward(
            layer.input, steps: shape.steps, batch: shape.batch, initialHidden: states ? layer.initialHidden : nil,
            initialCell: states ? layer.initialCell : nil, lengths: options.lengths)
        let gradients = layer.oracle.backward(
            expected, outputGradient: layer.outputGradient,
            finalHiddenGradient: states ? layer.finalHiddenGradient : nil,
            finalCellGradient: states ? layer.finalCellGradient : nil)
        func violation(_ what: String, _ actual: [Scalar], _ expected: [Double], backward: Bool) -> String? {
            Tolerance.violation(
                "\(what) of \(name)", actual.map { Double($0) }, expected,
                tolerance: layer.tolerance(backward: backward))
        }
        var found = [
            violation("output", output, expected.output, backward: false),
            violation("final h", finalHidden, expected.finalHidden, backward: false),
            violation("final c", finalCell, expected.finalCell, backward: false),
            violation("dx", inputGradient, gradients.input, backward: true),
            violation("dh0", initialHiddenGradient, gradients.initialHidden, backward: true),
            violation("dc0", initialCellGradient, gradients.initialCell, backward: true),
        ]
        let parts = [
            ("dW", gradients.parameters.inputWeight), ("dU", gradients.parameters.hiddenWeight),
            ("db", gradients.parameters.inputBias), ("dq", gradients.parameters.hiddenBias),
            ("dV", gradients.parameters.projectionWeight),
        ]
        let all = parameterGradients.first ?? []
        guard all.count == parts.map(\.1.count).reduce(0, +) else {
            return found.compactMap { $0 } + ["gradients of \(name) do not add up when repeated"]
        }
        var start = 0
        for (what, expected) in parts {
            found.append(violation(what, Array(all[start..<start + expected.count]), expected, backward: true))
            start += expected.count
        }
        return found.compactMap { $0 }
    }
}

/// The sum over a range of leaves by the fixed tree, from the subtree roots the processes handed in.
func combineSubtrees<Scalar: BinaryFloatingPoint>(_ range: Range<Int>, _ sums: [Range<Int>: [Scalar]]) -> [Scalar] {
    if let sum = sums[range] { return sum }
    if range.count <= 1 { return [] }
    let middle = range.lowerBound + range.count / 2
    let left = combineSubtrees(range.lowerBound..<middle, sums)
    return zip(left, combineSubtrees(middle..<range.upperBound, sums)).map { $0 + $1 }
}
