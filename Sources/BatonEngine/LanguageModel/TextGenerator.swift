import BatonChecks
public import BatonComm
import BatonData
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import Glibc

/// Samples tokens from a language model, one at a time, with carried state.
///
/// p(token) ∝ exp(logit / temperature); temperature 0 takes the most likely token. Token i is a function of the
/// seed, i and the model: the draw is Philox number i of the stream `generate`. On the stages of a pipeline the state
/// of a layer stays where the layer is; the tokens have the same bits.
public final class TextGenerator {
    private let stage: LanguageModelStage
    private let grid: ProcessGrid
    private let transfers: StageTransfers
    private let temperature: Double
    private let stream: RandomStream
    private var states: [Tensor]
    private var position: UInt64 = 0

    /// A generator whose states are zero. Not collective.
    ///
    /// - Parameters:
    ///   - model: the whole model, or the part of this rank's stage.
    ///   - grid: the ranks; nil is this process alone. Replicas write the same text each.
    /// - Throws: `EngineError` if the kernels in use cannot divide units as the grid asks.
    /// - Precondition: temperature ≥ 0.
    public init(
        _ model: LanguageModel, temperature: Double, seed: UInt64, grid: ProcessGrid? = nil
    ) throws(EngineError) {
        require(temperature >= 0, "TextGenerator: expected a temperature ≥ 0, got \(temperature)")
        let grid = grid ?? ProcessGrid(dataParallel: SelfCommunicator())
        stage = LanguageModelStage(model, shard: try HiddenShard(grid))
        self.grid = grid
        transfers = StageTransfers(grid.stageGroup)
        self.temperature = temperature
        stream = RandomStream(seed: seed, name: "generate")
        states = stage.beginState(rows: 1)
    }

    /// Feeds the prompt and returns the tokens that follow it; of length 0 the prompt is fed all the same, and
    /// stopped before the first token it is not. The last of the returned tokens is not fed: a text is continued by a call
    /// whose prompt begins with it. Collective over the stages of the replica.
    ///
    /// - Parameter isStopped: asked before every token; ends the text early. All stages must be told the same.
    /// - Throws: `DataError` (`unknownIdentifier`) if the prompt has a token that the model's vocabulary has not;
    ///   `EngineError` if it is empty; errors of the transport.
    public func generate(
        prompt: [Int32], length: Int, until isStopped: () -> Bool = { false }
    ) throws -> [Int32] {
        try Identifiers.check(prompt, below: stage.model.configuration.vocabularySize)
        guard !prompt.isEmpty else { throw EngineError("The prompt is empty; give at least one token.") }
        if length == 0 { _ = try feed(prompt) }
        var result: [Int32] = []
        var next = prompt
        while result.count < length && !isStopped() {
            let logits = try feed(next)
            let token = try shared(logits.map(sample) ?? 0)
            result.append(token)
            next = [token]
        }
        return result
    }

    /// Logits after the last of the tokens, on the last stage.
    private func feed(_ tokens: [Int32]) throws -> [Float]? {
        var logits: Tensor?
        try StreamOfWindows<LanguageModelWindow>.run(
            1, chunks: ScheduleShape.chunks(stages: grid.layout.stages, steps: tokens.count), on: grid, transfers
        ) { [stage, states] _, _ in
            let next = stage.beginState(rows: 1)
            let window = try LanguageModelWindow(
                stage,
                LanguageModelWindow.Content(
                    inputs: Tensor(tokens, shape: [tokens.count, 1]), targets: nil, rows: 0..<1, initial: states,
                    final: next, leaves: .whole(rows: 1)),
                training: nil)
            return (window, next)
        } ended: { [self] _, window, next in
            states = next
            logits = window.logits
        }
        return logits.map { $0[leading: $0.shape[0] - 1..<$0.shape[0]].elements(as: Float.self) }
    }

    /// The last stage's token, on every stage.
    private func shared(_ token: Int32) throws -> Int32 {
        let message = Tensor([token], shape: [1])
        try grid.stageGroup.broadcast(message.bytes, from: grid.layout.stages - 1)
        return message.elements(as: Int32.self)[0]
    }

    private func sample(_ logits: [Float]) -> Int32 {
        guard let most = logits.indices.max(by: { logits[$0] < logits[$1] }) else { return 0 }
        let draw = stream.uniform(position)
        position += 1
        guard temperature > 0 else { return Int32(most) }
        let weights = logits.map { exp(Double($0 - logits[most]) / temperature) }
        var remaining = draw * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            remaining -= weight
            if remaining < 0 { return Int32(index) }
        }
        return Int32(most)
    }
}
