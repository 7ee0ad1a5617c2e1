import Baton
import BatonTestSupport
import Testing

@testable import BatonCLI

/// What `bench kernels` times computes what it says: outputs and all gradients are the oracle's.
struct KernelWorkloadTests {
    private static let shapes = [
        KernelShape(cell: .lstm, steps: 5, batch: 9, input: 7, hidden: 20),
        KernelShape(cell: .lstm, steps: 5, batch: 9, input: 7, hidden: 20, startsFromZero: true),
        KernelShape(cell: .gru, steps: 4, batch: 3, input: 18, hidden: 33, layers: 2, bidirectional: true),
        KernelShape(
            cell: .gru, steps: 4, batch: 3, input: 18, hidden: 33, layers: 2, bidirectional: true, startsFromZero: true),
        KernelShape(cell: .rnnTanh, steps: 6, batch: 1, input: 5, hidden: 16, layers: 2, startsFromZero: true),
        KernelShape(cell: .rnnRelu, steps: 1, batch: 2, input: 3, hidden: 4),
    ]

    private func stack(_ shape: KernelShape, _ parts: [KernelWorkload.Part]) throws -> OracleStack {
        let cell = try #require(OracleCell(rawValue: shape.cell.rawValue))
        return OracleStack(
            layers: (0..<shape.layers).map { layer in
                parts.filter { $0.layer == layer }.enumerated().map { direction, part in
                    let parameters = part.parameters.map { $0.doubles() }
                    return OracleLayer(
                        cell, inputSize: parameters[0].count / parameters[2].count, hidden: shape.hidden,
                        reverse: direction == 1,
                        parameters: OracleParameters(
                            inputWeight: parameters[0], hiddenWeight: parameters[1], inputBias: parameters[2],
                            hiddenBias: parameters[3]))
                }
            })
    }

    /// Rows (t, n) of what stands in memory as the axes say.
    private func timeFirst(_ tensor: Tensor, _ shape: KernelShape, _ axes: SequenceLayout) -> [Double] {
        let values = tensor.doubles()
        let width = values.count / (shape.steps * shape.batch)
        return (0..<shape.steps * shape.batch).flatMap { row in
            let (time, sample) = row.quotientAndRemainder(dividingBy: shape.batch)
            let place = axes == .TNC ? row : sample * shape.steps + time
            return values[place * width..<(place + 1) * width]
        }
    }

    @Test(arguments: shapes, [SequenceLayout.TNC, .NTC])
    func timedPassesComputeOutputsAndGradients(_ shape: KernelShape, _ axes: SequenceLayout) throws {
        for backend in [KernelBackend.packed, .blas] {
            let work = KernelWorkload(shape, axes: axes, backend: backend)
            let stack = try stack(shape, work.parts)
            let states = (0..<2).map { kind in
                work.parts.flatMap { $0.states.count > kind ? $0.states[kind].doubles() : [] }
            }
            let given = states.map { $0.isEmpty ? nil : $0 }
            let expected = stack.forward(
                timeFirst(work.values[0], shape, axes), steps: shape.steps, batch: shape.batch, initialHidden: given[0],
                initialCell: given[1])
            let gradient = timeFirst(work.gradients[shape.layers], shape, axes)
            let gradients = stack.backward(expected, outputGradient: gradient)

            let depth = shape.steps * shape.layers * (shape.input + 2 * shape.hidden)
            func check(_ name: String, _ actual: [Double], _ expected: [Double], backward: Bool) {
                let tolerance = Tolerance.relative(epsilon: 0x1p-23, depth: depth, backward: backward)
                let violation = Tolerance.violation(name, actual, expected, tolerance: tolerance)
                #expect(violation == nil, "\(backend)")
            }
            work.infer()
            check("inference", timeFirst(work.values[shape.layers], shape, axes), expected.output, backward: false)
            work.train()
            check("output", timeFirst(work.values[shape.layers], shape, axes), expected.output, backward: false)
            check("input", timeFirst(work.gradients[0], shape, axes), gradients.input, backward: true)
            for (part, parameters) in zip(work.parts, gradients.parameters.flatMap { $0 }) {
                let actual = part.gradients.map { $0.doubles() }
                let names = ["W", "U", "b", "q"]
                let wanted = [
                    parameters.inputWeight, parameters.hiddenWeight, parameters.inputBias, parameters.hiddenBias,
                ]
                for (name, (actual, wanted)) in zip(names, zip(actual, wanted)) {
                    check("\(name) of layer \(part.layer)", actual, wanted, backward: true)
                }
            }
            let initial = [gradients.initialHidden, gradients.initialCell]
            for kind in 0..<2 {
                let actual = work.parts.flatMap {
                    $0.stateGradients.count > kind ? $0.stateGradients[kind].doubles() : []
                }
                if !actual.isEmpty { check("state \(kind)", actual, initial[kind], backward: true) }
            }
        }
    }
}
