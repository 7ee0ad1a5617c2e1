import BatonData
import BatonEngine
import BatonKernels
import BatonTensor
import Testing

@testable import BatonModelIO

@Suite struct CheckpointTests {
    @Test(arguments: RecurrentKind.allCases)
    func whatIsReadIsWhatWasWritten(cell: RecurrentKind) throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let written = try SmallRun.checkpoint(cell)
        try written.write(to: folder.file("x.safetensors"))
        let read = try Checkpoint(readingFrom: folder.file("x.safetensors"))
        #expect(read.snapshot.configuration == written.snapshot.configuration)
        #expect(read.snapshot.stepsDone == 3)
        #expect(read.snapshot.cursor == written.snapshot.cursor)
        #expect(
            read.vocabulary.tokens.map { Array($0.unicodeScalars) }
                == written.vocabulary.tokens.map { Array($0.unicodeScalars) })
        #expect(read.text == SmallRun.identity)
        let pairs: [([(name: String, tensor: Tensor)], [(name: String, tensor: Tensor)])] = [
            (read.snapshot.parameters, written.snapshot.parameters),
            (read.snapshot.optimizer, written.snapshot.optimizer),
            (read.snapshot.states.map { ("", $0) }, written.snapshot.states.map { ("", $0) }),
        ]
        for (left, right) in pairs {
            #expect(left.count == right.count && !left.isEmpty)
            for one in left {
                let other = right.filter { $0.name == one.name && $0.tensor.shape == one.tensor.shape }
                #expect(other.contains { $0.tensor.elements(as: Float.self) == one.tensor.elements(as: Float.self) })
            }
        }
        #expect(try folder.names() == ["x.safetensors"])
    }

    @Test(arguments: RecurrentKind.allCases)
    func aRunGoesOnFromAFileWithTheSameBits(cell: RecurrentKind) throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let trainer = try SmallRun.trainer(cell)
        _ = try SmallRun.advance(trainer, steps: 3)
        try Checkpoint(
            snapshot: trainer.snapshot(), vocabulary: SmallRun.corpus().vocabulary, text: SmallRun.identity
        ).write(to: folder.file("x"))
        let rest = try SmallRun.advance(trainer, steps: 12)
        let resumed = try SmallRun.trainer(cell)
        try resumed.restore(Checkpoint(readingFrom: folder.file("x")).snapshot)
        #expect(try SmallRun.advance(resumed, steps: 12) == rest)
    }

    @Test func theModelHasTheParametersOfTheRun() throws {
        let bytes = try SmallRun.bytes()
        let trainer = try SmallRun.trainer(.lstm)
        _ = try SmallRun.advance(trainer, steps: 3)
        let model = try Checkpoint(bytes: bytes, path: "x").makeModel()
        #expect(ParameterHash.hash(model.parameters) == ParameterHash.hash(trainer.model.parameters))
    }
}
