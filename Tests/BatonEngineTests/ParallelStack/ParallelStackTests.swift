import BatonComm
import BatonKernelABI
import BatonKernels
import BatonMPITestSupport
import BatonNN
import BatonTensor
import Testing

@testable import BatonEngine

/// A whole stack in every layout of the test's world against a `RecurrentLayer` in one process, forward and backward,
/// bit for bit.
@Suite(.serialized) struct ParallelStackTests {
    static let cases = [
        StackCase(cell: .lstm),
        StackCase(cell: .gru, dropout: 0.3),
        StackCase(cell: .rnnTanh, layers: 2, rows: 4, dropout: 0.5, lengths: [7, 0, 3, 1]),
        StackCase(cell: .rnnRelu, layers: 2, steps: 1, rows: 3),
        StackCase(cell: .lstm, layers: 2, steps: 9, rows: 1, hidden: 8),
        StackCase(cell: .lstm, layers: 2, steps: 0, rows: 3),
        StackCase(cell: .gru, layers: 2, bidirectional: false, steps: 0, rows: 3),
        StackCase(cell: .lstm, layers: 1, rows: 2, hidden: 33, lengths: [2, 7]),
        StackCase(
            cell: .lstm, rows: 9, projection: 7, clip: StateClip(lower: -0.2, upper: 0.3), dropout: 0.2,
            lengths: [7, 0, 3, 1, 7, 2, 5, 4, 1]),
        StackCase(cell: .gru, layers: 2, rows: 13, hidden: 48, lengths: Array(repeating: 4, count: 13)),
        // A step's output is more than a message would have.
        StackCase(cell: .rnnTanh, layers: 2, rows: 48, hidden: 200),
        // 4·97 products of one chain are more than OpenBLAS makes at once.
        StackCase(cell: .lstm, layers: 2, rows: 5, hidden: 97, dtype: .float64, dropout: 0.3),
        StackCase(cell: .gru, dtype: .float64, lengths: [0, 7, 7, 7, 2, 1, 1, 6, 7, 3, 4]),
        StackCase(cell: .lstm, bidirectional: false, dropout: 0.3),
        StackCase(cell: .gru, layers: 4, bidirectional: false, rows: 6, lengths: [7, 0, 3, 1, 7, 2]),
        StackCase(cell: .lstm, bidirectional: false, steps: 2, rows: 1, projection: 5, dtype: .float64),
        StackCase(cell: .lstm, layers: 2, bidirectional: false, steps: 1, rows: 1, hidden: 50),
        StackCase(cell: .rnnTanh, layers: 2, bidirectional: false, rows: 13, hidden: 67, dropout: 0.2),
        StackCase(
            cell: .lstm, layers: 2, bidirectional: false, rows: 9, hidden: 37, projection: 21,
            clip: StateClip(lower: -0.2, upper: 0.3), dropout: 0.2, lengths: [7, 0, 3, 1, 7, 2, 5, 4, 1]),
    ]

    @Test(arguments: cases)
    func everyLayoutHasTheBitsOfOneProcess(one: StackCase) throws {
        let world = try TestWorld.communicator()
        let alone = one.alone()
        for layout in one.layouts(ranks: world.size) {
            let divided = try one.divided(layout, world: world)
            guard world.rank == 0 else { continue }
            #expect(Set(divided.keys) == Set(alone.keys), "\(layout)")
            for (name, bits) in alone.sorted(by: { $0.key < $1.key }) {
                #expect(divided[name] == bits, "\(one), \(layout): \(name)")
            }
        }
    }

    /// Windows in a row with the state carried over, none of which waits for the end of the one before.
    @Test(arguments: [RecurrentKind.lstm, .gru]) func streamsHaveTheBitsOfOneProcess(cell: RecurrentKind) throws {
        let world = try TestWorld.communicator()
        let one = StackCase(cell: cell, layers: 2, rows: 5)
        let (stack, arrays) = (one.stack(), one.arrays())
        var alone = arrays.states.map { Variable($0) }
        var output = Variable(arrays.input)
        for _ in 0..<3 { (output, alone) = stack(Variable(arrays.input), states: alone, .inference(rows: 5)) }
        for layout in one.layouts(ranks: world.size) {
            let parallel = try ParallelStack(stack, grid: ProcessGrid(layout, world: world), batchSize: 5)
            var states = arrays.states.map { parallel.entries(of: $0) }
            var last: Tensor?
            for _ in 0..<3 {
                (last, states) = try parallel.forward(parallel.rows(of: arrays.input), states: states)
            }
            let whole = try parallel.collect(output: last, steps: one.steps)
            let finals = try parallel.collect(states: states)
            guard world.rank == 0 else { continue }
            #expect(whole.map { Array($0.bytes) } == Array(output.value.bytes), "\(layout)")
            #expect(finals.map { Array($0.bytes) } == alone.map { Array($0.value.bytes) }, "\(layout)")
        }
    }

    @Test(arguments: [(1, 1), (7, 40), (96, 2), (96, 5000), (12, 1 << 20)])
    func chunksAreAllStepsOnce(steps: Int, bytesPerStep: Int) {
        let forward = DirectionChunks.forward(steps: steps, bytes: steps * bytesPerStep)
        let backward = DirectionChunks.backward(steps: steps, rows: bytesPerStep)
        for chunks in [forward, backward.reversed()] {
            #expect(chunks.allSatisfy { !$0.isEmpty })
            #expect(chunks.flatMap { Array($0) } == Array(0..<steps))
        }
    }

    /// On every rank, whoever holds the parameter; without gradients nothing is refused.
    @Test(arguments: [GradientRequirement.null, .add])
    func gradientsThatAreNotMadeAnewAreRefused(requirement: GradientRequirement) throws {
        let world = try TestWorld.communicator()
        let one = StackCase(cell: .gru, layers: 4, bidirectional: false)
        let (stack, arrays) = (one.stack(), one.arrays())
        stack.directions[3].inputBias.gradientRequirement = requirement
        for layout in one.layouts(ranks: world.size) {
            let parallel = try ParallelStack(stack, grid: ProcessGrid(layout, world: world), batchSize: one.rows)
            let x = parallel.rows(of: arrays.input)
            let error = #expect(throws: EngineError.self) { try parallel.forward(x, recordsGradients: true) }
            #expect(error?.message.contains("case_l3_i2h_bias has the gradient requirement \(requirement)") == true)
            _ = try parallel.forward(x)
        }
    }

    @Test func layoutsThatDoNotFitAreRefused() throws {
        func refusal(_ stack: RecurrentLayer, _ layout: ParallelLayout, rows: Int = 4) -> String? {
            do throws(EngineError) {
                _ = try StackShare(
                    stack, layout, place: ParallelLayout.Place(), batchSize: rows,
                    leafCount: LeafPlan.leafCount(rows: rows))
                return nil
            } catch {
                return error.message
            }
        }
        let (one, both) = (GRU(hiddenSize: 3, inputSize: 2), GRU(hiddenSize: 3, bidirectional: true, inputSize: 2))
        #expect(refusal(one, ParallelLayout(directions: 2))?.contains("dir=2") == true)
        #expect(refusal(both, ParallelLayout(directions: 2)) == nil)
        #expect(refusal(both, ParallelLayout(stages: 2))?.contains("pp=2") == true)
        #expect(refusal(both, ParallelLayout(replicas: 4), rows: 3)?.contains("at most dp=2") == true)
        #expect(refusal(both, ParallelLayout(shards: 2))?.contains("leave out shard") == true)
        let double = GRU(hiddenSize: 3, inputSize: 2, dtype: .float64)
        #expect(refusal(double, ParallelLayout(shards: 2))?.contains("leave out shard") == true)
        let packed = KernelSelection.active.backend == .packed
        #expect((refusal(one, ParallelLayout(shards: 2)) == nil) == packed)
    }
}
