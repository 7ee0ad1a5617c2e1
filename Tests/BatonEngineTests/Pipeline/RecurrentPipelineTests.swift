import BatonComm
import BatonKernels
import BatonMPITestSupport
import BatonNN
import BatonTensor
import BatonTestSupport
import Glibc
import Testing

@testable import BatonEngine

/// A recurrent stack on the stages of the test's world against the same stack in one process.
@Suite(.serialized) struct RecurrentPipelineTests {
    /// Two windows with state carried over, in chunks that do not divide them.
    @Test(arguments: [1, 3, 7, 40], [1, 5, 12])
    func everyChunkLengthHasTheBitsOfOneProcess(chunkLength: Int, batch: Int) throws {
        let world = try TestWorld.communicator()
        for (dtype, projection) in [(DType.float32, 0), (.float32, 7), (.float64, 0)] {
            let stack = LSTM(
                hiddenSize: 11, numLayers: 4, inputSize: 6, projectionSize: projection, dtype: dtype, prefix: "wave_")
            stack.initialize(UniformInitializer(0.3), seed: 3)
            let windows = (0..<2).map { window in
                var random = SeededRandom(seed: UInt64(window))
                let values = random.array(17 * batch * 6)
                return dtype == .float64
                    ? Tensor(values, shape: [17, batch, 6]) : Tensor(values.map { Float($0) }, shape: [17, batch, 6])
            }
            var states = stack.beginState(batchSize: batch)
            var alone: [[UInt8]] = []
            for window in windows {
                let (output, next) = stack(Variable(window), states: states, .inference(rows: batch))
                states = next
                alone.append(Array(output.value.bytes))
            }
            let shards = dtype == .float32
            for layout in TinyRun.layouts(ranks: world.size, layers: 4, shards: shards) {
                let grid = try ProcessGrid(layout, world: world)
                let pipeline = try RecurrentPipeline(stack, grid: grid, chunkLength: chunkLength)
                var states = pipeline.beginState(batchSize: batch)
                for (number, window) in windows.enumerated() {
                    let (output, next) = try pipeline.forward(window, states: states)
                    states = next
                    #expect((output != nil) == (grid.place.stage == layout.stages - 1))
                    if let output { #expect(Array(output.bytes) == alone[number], "layout \(layout)") }
                }
            }
        }
    }

    /// Windows of different lengths and batches; states carried over, given, and zero where rows change.
    @Test(arguments: [1, 4, 100])
    func aStreamHasTheBitsOfOneProcess(chunkLength: Int) throws {
        let world = try TestWorld.communicator()
        let stack = LSTM(hiddenSize: 11, numLayers: 4, inputSize: 6, prefix: "stream_")
        stack.initialize(UniformInitializer(0.3), seed: 3)
        let shapes = [(9, 2), (9, 2), (1, 2), (12, 3), (9, 2), (3, 2), (9, 2)]
        // No states: those after the window before.
        let isFresh = [true, false, false, true, true, false, false]
        let windows = shapes.enumerated().map { number, shape in
            var random = SeededRandom(seed: UInt64(number))
            return Tensor(random.array(shape.0 * shape.1 * 6).map { Float($0) }, shape: [shape.0, shape.1, 6])
        }
        var states: [Variable] = []
        var alone: [(output: [UInt8], states: [Tensor])] = []
        for (number, window) in windows.enumerated() {
            let rows = window.shape[1]
            if isFresh[number] { states = stack.beginState(batchSize: rows) }
            let (output, next) = stack(Variable(window), states: states, .inference(rows: rows))
            states = next
            alone.append((Array(output.value.bytes), next.map(\.value)))
        }
        for layout in TinyRun.layouts(ranks: world.size, layers: 4) {
            let grid = try ProcessGrid(layout, world: world)
            let pipeline = try RecurrentPipeline(stack, grid: grid, chunkLength: chunkLength)
            var (asked, ended): ([Int], [Int]) = ([], [])
            for count in [0, 1, windows.count] {
                (asked, ended) = ([], [])
                try pipeline.stream(
                    count,
                    window: { number in
                        asked.append(number)
                        let rows = windows[number].shape[1]
                        return (windows[number], isFresh[number] ? pipeline.beginState(batchSize: rows) : nil)
                    },
                    ended: { number, output, states in
                        ended.append(number)
                        #expect((output != nil) == (grid.place.stage == layout.stages - 1))
                        if let output {
                            let isSame = Array(output.bytes) == alone[number].output
                            #expect(isSame, "layout \(layout), window \(number)")
                        }
                        for (own, whole) in zip(states, alone[number].states) {
                            let isSame = Array(own.bytes) == Array(whole[leading: pipeline.layers].bytes)
                            #expect(isSame, "layout \(layout), states after window \(number)")
                        }
                    })
                #expect(asked == Array(0..<count) && ended == Array(0..<count))
            }
        }
    }

    /// However fast it is, a stage is one window ahead of the next at most.
    @Test func aStageDoesNotRunAway() throws {
        let world = try TestWorld.communicator()
        guard world.size > 1 else { return }
        let stack = RNN(hiddenSize: 4, numLayers: world.size, activation: .tanh, inputSize: 4, prefix: "run_")
        stack.initialize()
        let grid = try ProcessGrid(ParallelLayout(stages: world.size), world: world)
        let pipeline = try RecurrentPipeline(stack, grid: grid, chunkLength: 2)
        let isLast = grid.place.stage == world.size - 1
        var ends: [Double] = []
        let clock = try AlignedClock(world)
        try pipeline.stream(
            8, window: { _ in (Tensor(zeros: [4, 1, 4]), nil) },
            ended: { _, _, _ in
                if isLast { usleep(20000) }
                ends.append(clock.seconds)
            })
        let all = Tensor(zeros: [world.size, 8], dtype: .float64)
        try world.allGather(UnsafeRawBufferPointer(Tensor(ends, shape: [8]).bytes), into: all.bytes)
        let times = all.elements(as: Double.self)
        let last = times[(world.size - 1) * 8..<world.size * 8].map { $0 }
        // The stage before the last ends window k after the last has ended window k − 2.
        let before = times[(world.size - 2) * 8..<(world.size - 1) * 8].map { $0 }
        for number in 2..<8 { #expect(before[number] > last[number - 2] - 1e-3) }
    }

    @Test func theProbeLeavesAllStagesWithOneLength() throws {
        let world = try TestWorld.communicator()
        let stack = GRU(hiddenSize: 8, numLayers: 4, inputSize: 8, prefix: "probe_")
        stack.initialize()
        let grid = try ProcessGrid(ParallelLayout(stages: world.size), world: world)
        let pipeline = try RecurrentPipeline(stack, grid: grid)
        try pipeline.probeChunkLength(steps: 12, batchSize: 3, seconds: 0.001)
        #expect([1, 2, 3, 4, 6].contains(pipeline.chunkLength))
        var states = pipeline.beginState(batchSize: 3)
        (_, states) = try pipeline.forward(Tensor(zeros: [12, 3, 8]), states: states)
        #expect(states[0].shape == [pipeline.layers.count, 3, 8])
    }

    /// The states a window leaves are whole on every shard, so that they may go anywhere.
    @Test(arguments: [false, true], [1, 14])
    func statesAreThoseOfOneProcess(isLSTM: Bool, batch: Int) throws {
        let world = try TestWorld.communicator()
        let stack: RecurrentLayer =
            isLSTM
            ? LSTM(hiddenSize: 20, numLayers: 4, inputSize: 9, prefix: "states_")
            : GRU(hiddenSize: 37, numLayers: 4, inputSize: 9, prefix: "states_")
        stack.initialize(UniformInitializer(0.3), seed: 4)
        var random = SeededRandom(seed: 1)
        let window = Tensor(random.array(6 * batch * 9).map { Float($0) }, shape: [6, batch, 9])
        let alone = stack(Variable(window), states: stack.beginState(batchSize: batch), .inference(rows: batch)).states
        for layout in TinyRun.layouts(ranks: world.size, layers: 4) {
            let grid = try ProcessGrid(layout, world: world)
            let pipeline = try RecurrentPipeline(stack, grid: grid, chunkLength: 4)
            let states = try pipeline.forward(window, states: pipeline.beginState(batchSize: batch)).states
            for (own, whole) in zip(states, alone) {
                #expect(Array(own.bytes) == Array(whole.value[leading: pipeline.layers].bytes), "layout \(layout)")
            }
        }
    }

    /// Windows of the same size take no new shared memory; outputs may be kept, also by one rank alone.
    @Test func sharedMemoryIsUsedAgain() throws {
        let world = try TestWorld.communicator()
        let grid = try ProcessGrid(ParallelLayout(shards: world.size), world: world)
        guard KernelSelection.active.backend == .packed, world.size > 1 else { return }
        let workspace = try #require(grid.shardWorkspace)
        let stack = LSTM(hiddenSize: 16, numLayers: 2, inputSize: 8, prefix: "again_")
        stack.initialize()
        let pipeline = try RecurrentPipeline(stack, grid: grid)
        var states = pipeline.beginState(batchSize: 3)
        var kept: [Tensor] = []
        for window in 0..<20 {
            let (output, next) = try pipeline.forward(Tensor(zeros: [5, 3, 8]), states: states)
            states = next
            if let output, world.rank == 0, window % 9 == 0 { kept.append(output) }
        }
        #expect(workspace.blockCount <= 4)
        #expect(kept.count == (world.rank == 0 ? 3 : 0))
    }

    @Test func stacksWhoseUnitsCannotBeDividedAreRefused() throws {
        let world = try TestWorld.communicator()
        guard world.size > 1 else { return }
        let grid = try ProcessGrid(ParallelLayout(shards: world.size), world: world)
        let stack = LSTM(hiddenSize: 8, inputSize: 2, dtype: .float64)
        let error = #expect(throws: EngineError.self) { _ = try RecurrentPipeline(stack, grid: grid) }
        #expect(error?.message.contains("leave out shard") == true)
    }

    @Test func stacksThatCannotBeDividedAreRefused() throws {
        let both = LSTM(hiddenSize: 3, bidirectional: true, inputSize: 2)
        let grid = ProcessGrid(dataParallel: SelfCommunicator())
        #expect(throws: EngineError.self) { _ = try RecurrentPipeline(both, grid: grid) }
        let withLengths = GRU(hiddenSize: 3, inputSize: 2, useSequenceLength: true)
        #expect(throws: EngineError.self) { _ = try RecurrentPipeline(withLengths, grid: grid) }
    }
}
