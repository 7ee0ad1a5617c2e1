import Baton
import Foundation
import Testing

/// `baton info` and `baton inspect`.
@Suite struct InformationTests {
    @Test func infoNamesProcessorKernelsAndLibraries() throws {
        let run = try BatonProcess(["info"])
        #expect(run.status == 0)
        for name in ["processor:", "instruction sets:", "instruction set:", "kernels:", "OpenBLAS core:", "MPI:"] {
            #expect(run.output.contains(name), "\(run.output)")
        }
        #expect(run.output.contains("Open MPI v"))
    }

    @Test func infoSaysWhatTheVariablesForce() throws {
        let environment = ["BATON_ISA": "baseline", "BATON_KERNELS": "blas"]
        let report = try BatonProcess(["info", "--json"], environment: environment).json()
        #expect(report["isa"] as? String == "baseline")
        #expect(report["kernels"] as? String == "blas")
        #expect(report["available_isas"] as? [String] == InstructionSet.available.map(\.rawValue))
        #expect(report["ranks"] as? Int == 1)
    }

    @Test func theProgramRestartsItselfWithTheRightBLASCore() throws {
        let report = try BatonProcess(["info", "--json"], without: ["OPENBLAS_CORETYPE"]).json()
        let core = try #require(report["blas_core"] as? String)
        #expect(OpenBLASCore.forced(on: .current, picked: core) == nil, "\(core)")
    }

    @Test func aBLASCoreTheUserAskedForIsLeftAlone() throws {
        let report = try BatonProcess(["info", "--json"], environment: ["OPENBLAS_CORETYPE": "Prescott"]).json()
        #expect(report["blas_core"] as? String == "Prescott")
    }

    @Test func inspectListsTensorsAndMetadata() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var tensors = NamedTensors(metadata: ["step": "12", "evil": "a\u{1B}[31mb"])
        tensors["weight_ih_l0"] = Tensor(zeros: [8, 3])
        tensors["bias\u{7}"] = Tensor(zeros: [8], dtype: .float64)
        try SafetensorsWriter.write(tensors, to: folder.file("w.safetensors"))
        let run = try BatonProcess(["inspect", folder.file("w.safetensors")])
        #expect(run.status == 0, "\(run.error)")
        for word in ["safetensors, 2 tensors, 32 elements", "weight_ih_l0", "[8, 3]", "96 B", "F64", "step: 12"] {
            #expect(run.output.contains(word), "\(word): \(run.output)")
        }
        #expect(!run.output.contains("\u{1B}") && !run.output.contains("\u{7}"), "a file must not steer the terminal")
    }

    @Test func inspectDescribesArraysAsJSON() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try NPYFile.write(Tensor(zeros: [2, 5], dtype: .int64), to: folder.file("a.npy"))
        let report = try BatonProcess(["inspect", folder.file("a.npy"), "--json"]).json()
        let tensor = (report["tensors"] as? [[String: Any]])?.first
        #expect(report["format"] as? String == "npy")
        #expect(tensor?["dtype"] as? String == "int64")
        #expect(tensor?["shape"] as? [Int] == [2, 5])
        #expect(tensor?["bytes"] as? Int == 80)
    }

    @Test func inspectRefusesWhatIsNoTensorFile() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try Data("hello, this is a letter".utf8).write(to: URL(fileURLWithPath: folder.file("letter")))
        for name in ["letter", "absent", "absent.npy"] {
            let run = try BatonProcess(["inspect", folder.file(name)])
            #expect(run.status == 1)
            #expect(run.error.contains(name) && run.output == "")
            #expect(run.error.split(separator: "\n").count == 1)
        }
    }
}
