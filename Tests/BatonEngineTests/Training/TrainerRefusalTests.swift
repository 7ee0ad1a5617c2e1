import BatonComm
import BatonData
import BatonKernels
import BatonNN
import BatonTensor
import Testing

@testable import BatonEngine

/// What a trainer refuses, with one sentence, and without having changed anything.
@Suite struct TrainerRefusalTests {
    @Test func moreRanksThanLeavesAreRefused() throws {
        let configuration = try TinyRun.configuration(batch: 2)
        let error = #expect(throws: EngineError.self) {
            _ = try TinyRun.trainer(configuration, on: ClaimedCommunicator(size: 3))
        }
        #expect(error?.message.contains("3 ranks do not fit a batch of 2 lanes") == true)
        #expect(error?.message.contains("use at most 2 ranks") == true)
    }

    @Test func aTextTooShortForTheLanesIsRefused() throws {
        let configuration = try TinyRun.configuration()
        #expect(throws: DataError.self) {
            _ = try TinyRun.trainer(
                configuration, tokens: TinyRun.tokens(count: 11 * 7), on: SelfCommunicator())
        }
        _ = try TinyRun.trainer(configuration, tokens: TinyRun.tokens(count: 11 * 7 + 1), on: SelfCommunicator())
    }

    /// Wherever it stands: the whole text is looked at before the first step.
    @Test(arguments: [(0, Int32(-1)), (300, 13)])
    func aTokenOutsideTheVocabularyIsRefused(place: Int, token: Int32) throws {
        var tokens = TinyRun.tokens
        tokens[place] = token
        let error = #expect(throws: DataError.self) {
            _ = try TinyRun.trainer(TinyRun.configuration(), tokens: tokens, on: SelfCommunicator())
        }
        #expect(error?.code == .unknownIdentifier)
        #expect(error?.message.contains("Token \(token) at position \(place) is none of the 13") == true)
    }

    @Test func aGradientThatIsNotFiniteLeavesTheParametersAlone() throws {
        let trainer = try TinyRun.trainer(TinyRun.configuration(), on: SelfCommunicator())
        _ = try trainer.step()
        trainer.model.decoder.weight.data.pointer(of: Float.self)[3] = .nan
        trainer.model.decoder.weight.markChanged()
        let parameters = trainer.arena.slots.map(\.parameter)
        let hash = ParameterHash.hash(parameters)
        #expect(throws: NNError.self) { _ = try trainer.step() }
        #expect(ParameterHash.hash(parameters) == hash)
        #expect(trainer.stepsDone == 1)
    }

    /// Each spoils a valid snapshot in one way.
    @Test(arguments: [
        "a parameter missing", "a parameter of another shape", "a parameter of another type",
        "an optimizer state missing",
        "a state missing", "a state of another shape", "a state of another type", "a window beyond the text",
    ])
    func aSnapshotThatDoesNotFitIsRefusedAndChangesNothing(way: String) throws {
        let configuration = try TinyRun.configuration()
        let source = try TinyRun.trainer(configuration, on: SelfCommunicator())
        _ = try TinyRun.train(source, to: 3)
        var snapshot = try source.snapshot().copied()
        switch way {
        case "a parameter missing": snapshot.parameters.removeLast()
        case "a parameter of another shape": snapshot.parameters[0].tensor = Tensor(zeros: [13, 7])
        case "a parameter of another type": snapshot.parameters[0].tensor = Tensor(zeros: [13, 6], dtype: .float64)
        case "an optimizer state missing": snapshot.optimizer.removeLast()
        case "a state missing": snapshot.states.removeLast()
        case "a state of another shape": snapshot.states[0] = Tensor(zeros: [2, 12, 19])
        case "a state of another type": snapshot.states[1] = Tensor(zeros: [2, 11, 19], dtype: .float64)
        default: snapshot.cursor = try LaneCursor(epoch: 0, window: 5, windowsPerEpoch: 6)
        }
        let target = try TinyRun.trainer(configuration, on: SelfCommunicator())
        let before = ParameterHash.hash(target.arena.slots.map(\.parameter))
        #expect(throws: (any Error).self) { try target.restore(snapshot) }
        #expect(ParameterHash.hash(target.arena.slots.map(\.parameter)) == before)
        #expect(target.stepsDone == 0)
        try target.restore(try source.snapshot())
        #expect(target.stepsDone == 3)
    }

    @Test func figuresOutOfRangeAreRefused() throws {
        let good = try TinyRun.configuration()
        try good.check()
        let spoilers: [(inout TrainingConfiguration) -> Void] = [
            { $0.batch = 0 }, { $0.batch = 1 << 40 }, { $0.stepsPerWindow = -1 }, { $0.totalSteps = 0 },
            { $0.totalSteps = 1 << 33 }, { $0.leafCount = 0 }, { $0.leafCount = 3 }, { $0.leafCount = 16 },
            { $0.learningRate = .nan }, { $0.learningRate = 0 }, { $0.weightDecay = -1 }, { $0.momentum = 1 },
            { $0.clip = 0 }, { $0.clip = .infinity }, { $0.model.hidden = -19 },
            { $0.model.hidden = 1_000_000_000_000 },
            { $0.model.layers = .max }, { $0.model.vocabularySize = .min }, { $0.model.embedding = 0 },
            { $0.model.dropout = 1 }, { $0.model.dropout = .nan },
        ]
        for (number, spoil) in spoilers.enumerated() {
            var configuration = good
            spoil(&configuration)
            #expect(throws: EngineError.self, "spoiler \(number)") { try configuration.check() }
        }
    }
}

/// Says it has so many ranks, and has none to talk to.
private final class ClaimedCommunicator: Communicator {
    let rank = 0
    let size: Int
    var waitLimit = Duration.seconds(1)
    let waitPolicy: WaitPolicy
    let collectiveCount = CollectiveCount()
    private let alone = SelfCommunicator()

    init(size: Int) {
        self.size = size
        waitPolicy = alone.waitPolicy
    }

    func immediateSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws(CommError) -> any Request {
        throw CommError(.invalid, "nobody is there.")
    }

    func immediateReceive(
        into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        throw CommError(.invalid, "nobody is there.")
    }

    func duplicate() throws(CommError) -> any Communicator { self }
    func split(color: Int?, key: Int) throws(CommError) -> (any Communicator)? { nil }
    let sharedRoom: Int? = nil
    func sharedMemory(byteCount: Int) throws(CommError) -> SharedMemory {
        throw CommError(.invalid, "nobody is there.")
    }
    func abort(code: Int32) -> Never { fatalError("aborted with \(code)") }
}
