import BatonData
import BatonEngine
import BatonFormats
import BatonKernels
import BatonTensor
import Foundation
import Testing

@testable import BatonModelIO

/// A damaged or foreign file is refused with one sentence that names it; it never becomes a model.
@Suite struct CheckpointDamageTests {
    /// Reads bytes and expects a refusal; the sentence, or nil when the bytes were accepted.
    private func refusal(_ bytes: [UInt8]) -> String? {
        do {
            _ = try Checkpoint(bytes: bytes, path: "run/step-3")
            return nil
        } catch { return "\(error)" }
    }

    private func isOneSentence(_ message: String) -> Bool {
        message.contains("run/step-3") && !message.contains("\n") && message.hasSuffix(".") && message.count < 500
    }

    @Test func aChangedByteAnywhereIsNoticed() throws {
        let bytes = try SmallRun.bytes()
        let headerEnd = 8 + bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        // Every byte of the header, and a sample of the tensors'.
        let offsets = Array(0..<headerEnd) + Array(stride(from: headerEnd, to: bytes.count, by: 31))
        #expect(offsets.count > 500)
        var accepted: [Int] = []
        for offset in offsets {
            for change: UInt8 in [0x01, 0x20, 0xFF] {
                var damaged = bytes
                damaged[offset] ^= change
                guard let message = refusal(damaged) else {
                    accepted.append(offset)
                    continue
                }
                #expect(isOneSentence(message), "offset \(offset): \(message)")
            }
        }
        #expect(accepted.isEmpty)
    }

    @Test func aFileOfAnotherLengthIsNoticed() throws {
        let bytes = try SmallRun.bytes()
        for part in 0..<100 {
            let message = refusal(Array(bytes[..<(bytes.count * part / 100)]))
            #expect(message.map(isOneSentence) == true, "\(part) %: \(message ?? "accepted")")
        }
        #expect(refusal(bytes.dropLast()) != nil)
        #expect(refusal(bytes + [0]) != nil)
    }

    @Test func anotherProgramsFileIsRefused() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        var tensors = NamedTensors()
        tensors["embedding.weight"] = Tensor(zeros: [3, 4])
        _ = try SafetensorsWriter.write(tensors, to: folder.file("x"))
        let message = refusal(try folder.content("x"))
        #expect(message?.contains("is no checkpoint of Baton") == true)
    }

    /// Files with a right checksum and a wrong content, as a program with other rules or a bad will could write them.
    private func rewritten(_ change: (inout NamedTensors) throws -> Void) throws -> String? {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        var tensors = try SafetensorsReader(bytes: SmallRun.bytes(), name: "x").all()
        try change(&tensors)
        tensors.metadata["content_sha256"] = Checkpoint.digest(tensors)
        _ = try SafetensorsWriter.write(tensors, to: folder.file("x"))
        return refusal(try folder.content("x"))
    }

    @Test func theRewrittenFileIsAcceptedWhenNothingIsChanged() throws {
        #expect(try rewritten { _ in } == nil)
    }

    @Test func tensorsThatAreNotTheConfigurationsAreRefused() throws {
        let changes: [(String, (inout NamedTensors) throws -> Void)] = [
            ("rnn.weight_hh_l1", { $0["rnn.weight_hh_l1"] = nil }),
            ("decoder.bias", { $0["decoder.bias"] = Tensor(zeros: [1]) }),
            ("decoder.bias", { $0["decoder.bias"] = Tensor(zeros: $0["decoder.bias"]?.shape ?? [], dtype: .float64) }),
            ("state.cell", { $0["state.cell"] = nil }),
            ("state.hidden", { $0["state.hidden"] = Tensor(zeros: [2, 6, 5]) }),
            ("tensors", { $0["another"] = Tensor(zeros: [1]) }),
        ]
        for (word, change) in changes {
            let message = try rewritten(change)
            #expect(message.map(isOneSentence) == true && message?.contains(word) == true, "\(message ?? "accepted")")
        }
    }

    @Test(arguments: [
        (#""hidden":5"#, #""hidden":-5"#), (#""hidden":5"#, #""hidden":1000000000000"#),
        (#""hidden":5"#, #""hidden":16777216"#), (#""hidden":5"#, #""hidden":6"#), (#""hidden":5"#, #""hidden":1e300"#),
        (#""layers":2"#, #""layers":0"#), (#""layers":2"#, #""layers":9223372036854775807"#),
        (#""layers":2"#, #""layers":4096"#), (#""embedding":3"#, #""embedding":-9223372036854775808"#),
        (#""batch":5"#, #""batch":0"#), (#""batch":5"#, #""batch":2147483647"#),
        (#""leafCount":4"#, #""leafCount":3"#), (#""leafCount":4"#, #""leafCount":1073741824"#),
        (#""leafCount":4"#, #""leafCount":0"#), (#""stepsPerWindow":4"#, #""stepsPerWindow":0"#),
        (#""totalSteps":20"#, #""totalSteps":99999999999"#), (#""dropout":0.1"#, #""dropout":1"#),
        (#""clip":1"#, #""clip":-1"#), (#""momentum":0"#, #""momentum":2"#), (#""cell":"lstm""#, #""cell":"gru""#),
        (#""cell":"lstm""#, #""cell":"sgd""#), (#""linear:0.1""#, #""linear:7""#), (#""seed":1"#, #""seed":-1"#),
        (#""model":{"#, #""modell":{"#),
    ])
    func hostileFiguresInTheConfigurationAreRefused(found: String, replacement: String) throws {
        let message = try rewritten { tensors in
            let text = tensors.metadata["configuration"] ?? ""
            #expect(text.contains(found), "\(text)")
            tensors.metadata["configuration"] = text.replacing(found, with: replacement)
        }
        #expect(message.map(isOneSentence) == true, "\(message ?? "accepted")")
    }

    @Test(arguments: [
        ("step", "-1"), ("step", "9223372036854775807"), ("step", "three"), ("step", ""),
        ("cursor", #"{"epoch":-1,"window":0}"#), ("cursor", #"{"epoch":0,"window":-9223372036854775808}"#),
        ("cursor", "null"), ("vocabulary", #"{"tokenization":"chars","tokens":["a"]}"#),
        ("vocabulary", #"{"tokenization":"chars","tokens":["a","a"]}"#), ("vocabulary", #"{"tokenization":"chars"}"#),
        ("text", "{}"), ("configuration", ""), ("configuration", String(repeating: "[", count: 100_000)),
        ("format", "baton-checkpoint-2"),
    ])
    func hostileMetadataAreRefused(key: String, value: String) throws {
        let message = try rewritten { $0.metadata[key] = value }
        #expect(message.map(isOneSentence) == true, "\(message ?? "accepted")")
    }

    @Test(arguments: ["step", "cursor", "vocabulary", "configuration", "text", "format"])
    func missingMetadataAreRefused(key: String) throws {
        let message = try rewritten { $0.metadata[key] = nil }
        #expect(message.map(isOneSentence) == true, "\(message ?? "accepted")")
    }

    /// The text decides how many windows there are, so only the trainer can tell.
    @Test func aWindowBeyondTheTextIsRefusedByTheTrainer() throws {
        var checkpoint = try SmallRun.checkpoint()
        checkpoint.snapshot.cursor = try LaneCursor(epoch: 0, window: 1000, windowsPerEpoch: 1001)
        let trainer = try SmallRun.trainer(.lstm)
        #expect(throws: DataError.self) { try trainer.restore(checkpoint.snapshot) }
        #expect(trainer.stepsDone == 0)
    }
}
