import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Each sample of a padded batch equals its own unroll at its exact length, forward and backward.
@Suite struct VariableLengthTests {
    private let lengths = [3, 10, 5, 6, 0]

    private struct Run {
        var output: [Double]
        var finals: [[Double]]
        var inputGradient: [Double]
        var stateGradients: [[Double]]
        var parameterGradients: [[Double]]
    }

    /// One forward and backward pass in predict mode; output (T, N, ·) whatever the layout.
    private func run(
        _ cell: RecurrentCell, _ input: Tensor, _ states: [Tensor], layout: SequenceLayout, lengths: [Int]?,
        weight: Tensor
    ) -> Run {
        let rows = input.shape[1]
        let x = Variable(layout == .TNC ? input : input.withSwappedLeadingAxes(), requiresGradient: true)
        let initial = states.map { Variable($0, requiresGradient: true) }
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: rows))
        let result = cell.unroll(
            x, beginState: initial, layout: layout, mergeOutputs: true,
            validLength: lengths.map { Tensor($0.map { Double($0) + 0.75 }, shape: [rows]) }, context)
        let y = layout == .TNC ? result.outputs.merged : context.swapLeadingAxes(result.outputs.merged)
        tape.backward(
            from: [(y, weight)] + result.states.map { ($0, Tensor(repeating: 0.5, shape: $0.shape)) })
        let gradient = x.gradient.map { layout == .TNC ? $0 : $0.withSwappedLeadingAxes() }
        return Run(
            output: y.value.doubles(), finals: result.states.map { $0.value.doubles() },
            inputGradient: gradient?.doubles() ?? [], stateGradients: initial.map { $0.gradient?.doubles() ?? [] },
            parameterGradients: cell.collectParameters().map { $0.gradient.doubles() })
    }

    @Test(arguments: CellCase.allCases, SequenceLayout.allCases)
    func everySampleEqualsItsExactLength(_ kind: CellCase, _ layout: SequenceLayout) {
        let cell = kind.makeInitialized()
        let width = cell.unroll(
            Variable(Tensor(zeros: [1, 1, 3], dtype: .float64)), layout: .TNC, mergeOutputs: true,
            .inference(rows: 1)
        ).outputs.merged.shape[2]
        let input = randomTensor([10, 5, 3], seed: 2)
        let weight = randomTensor([10, 5, width], seed: 3)
        let states = cell.stateInfo(batchSize: 5).enumerated().map { randomTensor($1.shape, seed: 50 + UInt64($0)) }
        // The truncated lengths are those above.
        let batch = run(cell, input, states, layout: layout, lengths: lengths, weight: weight)
        var parameterGradients = batch.parameterGradients.map { $0.map { _ in 0.0 } }
        var problems: [String?] = []
        for (n, length) in lengths.enumerated() {
            func sample(_ values: [Double], _ width: Int, from: Int = 0, to: Int = 10) -> [Double] {
                (from..<to).flatMap { step in (0..<width).map { values[(step * 5 + n) * width + $0] } }
            }
            func own(_ values: [Double]) -> [Double] {
                Array(values[n * values.count / 5..<(n + 1) * values.count / 5])
            }
            #expect(sample(batch.output, width, from: length).allSatisfy { $0 == 0 })
            #expect(sample(batch.inputGradient, 3, from: length).allSatisfy { $0 == 0 })
            guard length > 0 else {
                #expect(batch.finals.map(own) == states.map { own($0.doubles()) })
                #expect(batch.stateGradients.map(own).joined().allSatisfy { $0 == 0.5 })
                continue
            }
            let alone = run(
                cell, row(n, of: input, axis: 1)[leading: 0..<length], states.map { row(n, of: $0) }, layout: layout,
                lengths: nil, weight: row(n, of: weight, axis: 1)[leading: 0..<length])
            func compare(_ name: String, _ actual: [Double], _ expected: [Double]) {
                problems.append(Tolerance.violation(name, actual, expected, scale: 1, tolerance: 1e-12))
            }
            compare("output \(n)", sample(batch.output, width, to: length), alone.output)
            compare("dx \(n)", sample(batch.inputGradient, 3, to: length), alone.inputGradient)
            for index in states.indices {
                compare("final \(n)", own(batch.finals[index]), alone.finals[index])
                compare("dstate \(n)", own(batch.stateGradients[index]), alone.stateGradients[index])
            }
            for (index, gradient) in alone.parameterGradients.enumerated() {
                for (place, value) in gradient.enumerated() { parameterGradients[index][place] += value }
            }
        }
        for (actual, expected) in zip(batch.parameterGradients, parameterGradients) {
            problems.append(Tolerance.violation("dw", actual, expected, scale: 1, tolerance: 1e-12))
        }
        #expect(problems.compactMap { $0 } == [])
    }

    @Test(arguments: CellCase.allCases) func whatStandsInThePaddingHasNoEffect(_ kind: CellCase) {
        let cell = kind.makeInitialized()
        let states = cell.stateInfo(batchSize: 2).map { Tensor(zeros: $0.shape, dtype: .float64) }
        let clean = randomTensor([4, 2, 3], seed: 2)
        let poisoned = clean.copy()
        for step in 1..<4 {
            poisoned.pointer(of: Double.self)[(step * 2 + 1) * 3] = .nan
            poisoned.pointer(of: Double.self)[(step * 2 + 1) * 3 + 1] = .infinity
        }
        func all(_ input: Tensor) -> [Double] {
            let width = cell.unroll(
                Variable(clean), layout: .TNC, mergeOutputs: true, .inference(rows: 2)
            ).outputs.merged.shape[2]
            let run = run(
                cell, input, states, layout: .TNC, lengths: [4, 1], weight: randomTensor([4, 2, width], seed: 3))
            return run.output + run.finals.joined() + run.inputGradient + run.parameterGradients.joined()
        }
        #expect(all(poisoned) == all(clean))
    }
}
