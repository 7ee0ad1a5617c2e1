import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Foundation
import Testing

/// Two bidirectional layers, stacked by hand, against outputs and gradients that PyTorch and MXNet computed.
@Suite struct GoldenTests {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Goldens")

    /// Files whose dtype is the kernels' own.
    private static func files(_ suffix: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasSuffix(suffix) }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    @Test(arguments: kernelsUnderTest.indices)
    func `a two-layer bidirectional stack agrees with PyTorch and MXNet`(kernels: Int) throws {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) throws {
            let suffix = Kernels.Scalar.self == Double.self ? "-f64.golden" : "-f32.golden"
            let files = try Self.files(suffix)
            #expect(files.count >= 8 && files.filter { $0.lastPathComponent.contains("-lengths") }.count >= 2)
            for file in files { try compare(GoldenFile(file), file.lastPathComponent, on: kernels) }
        }
        try check(kernelsUnderTest[kernels])
    }

    private func compare<Kernels: KernelsUnderTest>(_ golden: GoldenFile, _ name: String, on kernels: Kernels) throws {
        let results = try GoldenStack(golden, on: kernels).results()
        // T steps of (D·H + H) products in each of two layers; twice that for the other library's own rounding.
        let shape = try golden.tensor("output").shape
        let depth = 2 * 2 * shape[0] * (shape[2] + shape[2] / 2)
        let given = ["grad_output", "grad_final_state", "grad_final_cell_state"]
        let wanted = golden.tensors.keys.filter { name in
            name == "output" || name.hasPrefix("final_") || (name.hasPrefix("grad_") && !given.contains(name))
        }
        #expect(Set(results.keys) == Set(wanted))
        for (tensor, values) in results {
            let violation = Tolerance.violation(
                "\(tensor) of \(name), \(kernels)", values.map { Double($0) }, try golden.tensor(tensor).values,
                tolerance: 2
                    * Tolerance.relative(
                        epsilon: Double(Kernels.Scalar.ulpOfOne), depth: depth, backward: tensor.hasPrefix("grad")))
            #expect(violation == nil)
        }
    }
}

/// The stack of a golden file, run layer by layer with the sequence kernels.
private struct GoldenStack<Kernels: KernelsUnderTest> {
    typealias Scalar = Kernels.Scalar
    let golden: GoldenFile
    let kernels: Kernels
    let cell: RecurrentKind
    let (steps, batch, hidden): (Int, Int, Int)
    /// P, and R.
    let projection: Int?
    let width: Int
    let lengths: SequenceLengths?
    let layers = 2

    init(_ golden: GoldenFile, on kernels: Kernels) throws {
        self.golden = golden
        self.kernels = kernels
        cell = try #require(golden.notes["cell"].flatMap { RecurrentKind(rawValue: $0) })
        let shape = try golden.tensor("output").shape
        width = shape[2] / 2
        projection = golden.tensors["weight_hr_l0"] == nil ? nil : width
        (steps, batch, hidden) = (shape[0], shape[1], try golden.tensor("bias_ih_l0").shape[0] / cell.gateCount)
        let steps = shape[0]
        lengths = golden.notes["lengths"].map { note in
            SequenceLengths(note.split(separator: " ").compactMap { Int($0) }, steps: steps)
        }
    }

    private func memory(_ name: String) throws -> Memory<Scalar> {
        Memory(try golden.tensor(name).values.map { Scalar($0) })
    }

    private func blank(_ count: Int) -> Memory<Scalar> { Memory([Scalar](repeating: 0, count: count)) }

    /// Everything the golden file holds as a result, by its names.
    func results() throws -> [String: [Scalar]] {
        let hasCell = cell.hasCellState
        let (stateCount, cellCount) = (layers * 2 * batch * width, layers * 2 * batch * hidden)
        let h0 = try memory("state")
        let c0 = try hasCell ? memory("cell_state") : blank(cellCount)
        let (hn, cn) = (blank(stateCount), blank(cellCount))
        var inputs = [try memory("input")]
        var runs: [[(any RecurrentSequence<Scalar>, RecurrentForward<Scalar>, Int)]] = []
        for layer in 0..<layers {
            let inputSize = layer == 0 ? inputs[0].count / (steps * batch) : 2 * width
            let output = blank(steps * batch * 2 * width)
            var directions: [(any RecurrentSequence<Scalar>, RecurrentForward<Scalar>, Int)] = []
            for direction in 0..<2 {
                let sequence = try sequence(layer, direction, inputSize: inputSize)
                let slot = (layer * 2 + direction) * batch
                let (state, cellState) = (slot * width, slot * hidden)
                let forward = RecurrentForward<Scalar>(
                    input: inputs[layer].pointer, inputStrides: .timeMajor(batch: batch, width: inputSize),
                    initialHidden: h0.pointer + state,
                    initialCell: hasCell ? UnsafePointer(c0.pointer + cellState) : nil,
                    output: output.pointer + direction * width,
                    outputStrides: .timeMajor(batch: batch, width: 2 * width),
                    finalHidden: hn.pointer + state, finalCell: hasCell ? cn.pointer + cellState : nil,
                    lengths: lengths)
                sequence.forward(steps: 0..<steps, forward, training: true, hook: .none)
                directions.append((sequence, forward, inputSize))
            }
            inputs.append(output)
            runs.append(directions)
        }
        var results = ["output": inputs[layers].values, "final_state": hn.values]
        if hasCell { results["final_cell_state"] = cn.values }
        results.merge(try gradients(runs)) { _, new in new }
        withExtendedLifetime((h0, c0, inputs)) {}
        return results
    }

    private func sequence(_ layer: Int, _ direction: Int, inputSize: Int) throws -> any RecurrentSequence<Scalar> {
        let weights = kernels.recurrentWeights(
            RecurrentShape(
                cell: cell, inputChains: layer == 0 ? [inputSize] : [width, width], hidden: hidden,
                projection: projection))
        let names = parameterNames(layer, direction)
        withPointers(try names.map { try golden.tensor($0).values }) {
            weights.update(
                from: RecurrentParameterPointers(
                    inputWeight: $0[0], hiddenWeight: $0[1], inputBias: $0[2], hiddenBias: $0[3],
                    projectionWeight: projection == nil ? nil : $0[4]),
                training: true)
        }
        return kernels.recurrentSequence(
            weights, steps: steps, batch: batch, reverse: direction == 1, leaves: .whole(rows: batch))
    }

    private func parameterNames(_ layer: Int, _ direction: Int) -> [String] {
        (["weight_ih", "weight_hh", "bias_ih", "bias_hh"] + (projection == nil ? [] : ["weight_hr"])).map {
            "\($0)_l\(layer)\(direction == 1 ? "_reverse" : "")"
        }
    }

    private func gradients(
        _ runs: [[(any RecurrentSequence<Scalar>, RecurrentForward<Scalar>, Int)]]
    ) throws -> [String: [Scalar]] {
        let hasCell = cell.hasCellState
        let (stateCount, cellCount) = (layers * 2 * batch * width, layers * 2 * batch * hidden)
        let dhn = try memory("grad_final_state")
        let dcn = try hasCell ? memory("grad_final_cell_state") : blank(cellCount)
        let (dh0, dc0) = (blank(stateCount), blank(cellCount))
        var above = try memory("grad_output")
        var results: [String: [Scalar]] = [:]
        for layer in (0..<layers).reversed() {
            let inputSize = runs[layer][0].2
            let below = blank(steps * batch * inputSize)
            for (direction, (sequence, forward, _)) in runs[layer].enumerated() {
                let slot = (layer * 2 + direction) * batch
                let (state, cellState) = (slot * width, slot * hidden)
                sequence.backwardData(
                    steps: 0..<steps,
                    RecurrentBackwardData(
                        outputGradient: above.pointer + direction * width,
                        finalHiddenGradient: dhn.pointer + state,
                        finalCellGradient: hasCell ? UnsafePointer(dcn.pointer + cellState) : nil,
                        inputGradient: below.pointer,
                        addsToInputGradient: direction == 1, initialHiddenGradient: dh0.pointer + state,
                        initialCellGradient: hasCell ? dc0.pointer + cellState : nil),
                    forward: forward, hook: .none)
                let names = parameterNames(layer, direction)
                let targets = try names.map { blank(try golden.tensor($0).values.count) }
                sequence.backwardWeights(
                    [
                        RecurrentGradientPointers(
                            inputWeight: targets[0].pointer, hiddenWeight: targets[1].pointer,
                            inputBias: targets[2].pointer, hiddenBias: targets[3].pointer,
                            projectionWeight: projection == nil ? nil : targets[4].pointer)
                    ], leaves: .whole(rows: batch), forward: forward, hook: .none)
                for (name, target) in zip(names, targets) { results["grad_\(name)"] = target.values }
            }
            above = below
        }
        results["grad_input"] = above.values
        results["grad_state"] = dh0.values
        if hasCell { results["grad_cell_state"] = dc0.values }
        withExtendedLifetime((dhn, dcn)) {}
        return results
    }
}
