import Baton
import BatonTestSupport
import Foundation
import Testing

/// `baton run` on the weights and arrays of PyTorch and MXNet, against the outputs and gradients they computed.
@Suite struct RunGoldenTests {
    static let goldens: [URL] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "BatonKernelsTests/Goldens")
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return (files ?? []).filter { $0.pathExtension == "golden" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }()

    @Test func thereAreGoldensOfBothLibraries() {
        #expect(Self.goldens.filter { $0.lastPathComponent.contains("-lengths-") }.count >= 10)
        #expect(Self.goldens.filter { $0.lastPathComponent.hasPrefix("torch-") }.count >= 8)
        #expect(Self.goldens.filter { $0.lastPathComponent.hasPrefix("mxnet-") }.count >= 7)
    }

    @Test(arguments: goldens)
    func outputsStatesAndGradientsAgree(file: URL) throws {
        let golden = try GoldenFile(file)
        let isDouble = golden.tensors["input"]?.type == "f64"
        let folder = try RunFolder(dtype: isDouble ? .float64 : .float32)
        defer { folder.remove() }
        let arguments = try write(golden, into: folder)
        // f64 has one backend and no instruction set of its own.
        for environment in isDouble ? [[:]] : kernelEnvironments {
            let run = try BatonProcess(arguments, environment: environment)
            #expect(run.status == 0, "\(run.error)")
            #expect(try run.json()["kernel"] as? String == (isDouble ? "blas" : environment["BATON_KERNELS"]))
            for (name, tensor) in results(golden) {
                let violation = try folder.violation(
                    name, tensor.values, tensor.shape,
                    tolerance: tolerance(golden, isDouble: isDouble, backward: name.hasPrefix("g/")))
                #expect(violation == nil, "\(file.lastPathComponent) \(environment)")
            }
        }
    }

    /// PyTorch's answer: a hidden unit that is not a number is no unit that was cut off, so its gradient is seen.
    @Test(arguments: [DType.float32, .float64]) func aReLUOfNothingPassesItsGradientOnEveryBackend(dtype: DType) throws
    {
        let folder = try RunFolder(dtype: dtype)
        defer { folder.remove() }
        let weights = try folder.writeWeights([
            ("weight_ih_l0", [1, 1], [2, 1]), ("weight_hh_l0", [0, 0, 0, 0], [2, 2]), ("bias_ih_l0", [.nan, -9], [2]),
            ("bias_hh_l0", [0, 0], [2]),
        ])
        let arguments = [
            "run", "--kind", "rnn_relu", "--weights", weights, "--input",
            try folder.write([1], [1, 1, 1], as: "x.npy"),
            "--output", folder.path("y.npy"), "--grad-output", try folder.write([3, 5], [1, 1, 2], as: "dy.npy"),
            "--grad-dir", folder.path("g"),
        ]
        for environment in kernelEnvironments {
            let run = try BatonProcess(arguments, environment: environment)
            #expect(run.status == 0, "\(run.error)")
            let violation = try folder.violation("g/bias_ih_l0.npy", [3, 0], [2], tolerance: 0)
            #expect(violation == nil, "\(environment)")
        }
    }

    /// Writes all files and returns the command line.
    private func write(_ golden: GoldenFile, into folder: RunFolder) throws -> [String] {
        let weights = golden.tensors.filter { RecurrentTensorName($0.key) != nil && !$0.key.hasPrefix("grad_") }
        var arguments = [
            "run", "--json", "--kind", golden.notes["cell"] ?? "", "--output", folder.path("output.npy"),
            "--state-out", folder.path("final_state.npy"), "--grad-dir", folder.path("g"),
            "--weights", try folder.writeWeights(weights.map { ($0.key, $0.value.values, $0.value.shape) }),
        ]
        let flags = [
            "input": "--input", "state": "--state", "cell_state": "--cell-state", "grad_output": "--grad-output",
            "grad_final_state": "--grad-state-out", "grad_final_cell_state": "--grad-cell-state-out",
        ]
        for (name, flag) in flags {
            guard let tensor = golden.tensors[name] else { continue }
            arguments += [flag, try folder.write(tensor.values, tensor.shape, as: "given_\(name).npy")]
        }
        if let lengths = golden.notes["lengths"]?.split(separator: " ").compactMap({ Int32($0) }) {
            try NPYFile.write(Tensor(lengths, shape: [lengths.count]), to: folder.path("lengths.npy"))
            arguments += ["--lengths", folder.path("lengths.npy")]
        }
        if golden.notes["cell"] == "lstm" { arguments += ["--cell-state-out", folder.path("final_cell_state.npy")] }
        return arguments
    }

    /// The golden's results by the file they are expected in.
    private func results(_ golden: GoldenFile) -> [(file: String, tensor: GoldenFile.Tensor)] {
        let given = ["grad_output", "grad_final_state", "grad_final_cell_state"]
        return golden.tensors.compactMap { name, tensor in
            if name == "output" || name.hasPrefix("final_") { return ("\(name).npy", tensor) }
            guard name.hasPrefix("grad_"), !given.contains(name) else { return nil }
            return ("g/\(name.dropFirst(5)).npy", tensor)
        }
    }

    /// T steps of D·H + H products in each of two layers; twice that for the other library's own rounding.
    private func tolerance(_ golden: GoldenFile, isDouble: Bool, backward: Bool) -> Double {
        let shape = golden.tensors["output"]?.shape ?? [1, 1, 1]
        return 2
            * Tolerance.relative(
                epsilon: isDouble ? Double.ulpOfOne : Double(Float.ulpOfOne),
                depth: 2 * 2 * shape[0] * (shape[2] + shape[2] / 2), backward: backward)
    }
}
