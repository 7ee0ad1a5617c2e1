import BatonComm
import BatonMPITestSupport
import Testing

@testable import BatonEngine

/// Evaluation and generation in every layout of the test's world against one process.
@Suite(.serialized) struct PipelineInferenceTests {
    private static let layers = 5

    private func stage(_ grid: ProcessGrid) throws -> LanguageModel {
        let configuration = try TinyRun.configuration(layers: Self.layers).model
        let partition = try StagePartition(configuration, stages: grid.layout.stages)
        return LanguageModel(configuration, seed: 9, layers: partition.stages[grid.place.stage])
    }

    /// 2 tokens make one lane, so most replicas have none; 900 have a last window of fewer steps than chunks.
    @Test(arguments: [2, 9, 30, 900])
    func everyLayoutHasTheLossOfOneProcess(count: Int) throws {
        let world = try TestWorld.communicator()
        let tokens = TinyRun.tokens(count: count)
        let alone = try LanguageModelEvaluator(tokens: tokens, steps: 9, communicator: SelfCommunicator())
            .evaluate(stage(ProcessGrid(dataParallel: SelfCommunicator())))
        for layout in TinyRun.layouts(ranks: world.size, layers: Self.layers) {
            let grid = try ProcessGrid(layout, world: world)
            let (loss, scored) = try LanguageModelEvaluator(tokens: tokens, steps: 9, grid: grid).evaluate(stage(grid))
            #expect(loss.bitPattern == alone.loss.bitPattern, "layout \(layout)")
            #expect(scored == alone.tokens)
        }
    }

    @Test(arguments: [1, 40])
    func everyPipelineWritesTheTextOfOneProcess(promptLength: Int) throws {
        let world = try TestWorld.communicator()
        let prompt = TinyRun.tokens(count: promptLength)
        let alone = try TextGenerator(
            stage(ProcessGrid(dataParallel: SelfCommunicator())), temperature: 1, seed: 3
        ).generate(prompt: prompt, length: 60)
        #expect(Set(alone).count > 5)
        for layout in TinyRun.layouts(ranks: world.size, layers: Self.layers) {
            let grid = try ProcessGrid(layout, world: world)
            let generator = try TextGenerator(stage(grid), temperature: 1, seed: 3, grid: grid)
            #expect(try generator.generate(prompt: prompt, length: 60) == alone, "layout \(layout)")
        }
    }
}
