import BatonComm
import BatonKernels
import BatonTensor
import BatonTestSupport
import Testing

@testable import BatonEngine

/// What a step computes, against its formulas; that ranks compute the same is the matter of the other suites.
@Suite struct TrainingStepTests {
    /// w ← w − η(f·g + λw) with f = min(1, clip/(‖g‖ + 10⁻⁶)): the first step of SGD, whose momentum begins at zero.
    @Test(arguments: [0.1, nil] as [Double?]) func theGradientIsClippedBeforeTheUpdate(clip: Double?) throws {
        let configuration = try TinyRun.configuration(clip: clip, optimizer: .sgd, learningRate: 0.5)
        let trainer = try TinyRun.trainer(configuration, on: SelfCommunicator())
        let before = trainer.arena.data.doubles()
        let metrics = try trainer.step()
        let gradient = trainer.arena.gradients[0].doubles()
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs(metrics.gradientNorm / norm - 1) < 1e-12)
        #expect(norm > 0.1)
        let factor = clip.map { $0 / (norm + 1e-6) } ?? 1
        let rate = configuration.learningRate(step: 0)
        let expected = zip(before, gradient).map { $0 - rate * (factor * $1 + configuration.weightDecay * $0) }
        let error = Tolerance.relativeError(
            trainer.arena.data.doubles(), expected, scale: before.map { abs($0) }.max() ?? 0)
        // A few roundings to f32 of values as large as the parameters.
        #expect(error < 4 * Double(Float.ulpOfOne), "\(error)")
    }

    /// With parameters that hardly move, every epoch has the losses of the first: its lanes begin without a past.
    @Test func statesAreCarriedThroughAnEpochAndBeginAnewInTheNext() throws {
        let configuration = try TinyRun.configuration(dropout: 0, clip: nil, optimizer: .sgd, learningRate: 1e-30)
        let trainer = try TinyRun.trainer(configuration, on: SelfCommunicator())
        var losses: [Double] = []
        var states: [[Float]] = []
        for _ in 0..<2 * trainer.windowsPerEpoch {
            losses.append(try trainer.step().loss)
            states.append(try trainer.snapshot().states[0].elements())
        }
        #expect(Array(losses[..<trainer.windowsPerEpoch]) == Array(losses[trainer.windowsPerEpoch...]))
        #expect(Array(states[..<trainer.windowsPerEpoch]) == Array(states[trainer.windowsPerEpoch...]))
        #expect(Set(states[..<trainer.windowsPerEpoch]).count == trainer.windowsPerEpoch)
    }
}
