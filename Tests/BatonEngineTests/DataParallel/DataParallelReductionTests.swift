import BatonComm
import BatonKernelABI
import BatonKernels
import BatonMPITestSupport
import BatonTensor
import Testing

@testable import BatonEngine

/// Gradients whose exchange begins row by row, on all ranks of the test's world. launch/test runs this under mpirun with
/// 1 to 4 ranks.
@Suite(.serialized) struct DataParallelReductionTests {
    private struct Pass {
        var gradient: [Float]
        /// Elements whose exchange had not begun, before each parameter was ready.
        var notStarted: [Int]
    }

    /// Gradients of two windows in a row, of the second.
    private func pass(_ cell: RecurrentKind, targetBytes: Int?) throws -> Pass {
        let (lanes, steps) = (11, 4)
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(cell)
        let model = LanguageModel(configuration.model, seed: 3)
        let leafCount = LeafPlan.leafCount(rows: lanes)
        let share = RankShare(lanes: lanes, leafCount: leafCount, rank: world.rank, size: world.size)
        let arena = ParameterArena(model.parameters.reversed(), subtreeCount: share.leaves.subtrees.count)
        let reduction = DataParallelReduction(
            arena, leafCount: leafCount, communicator: world, targetBytes: targetBytes)
        let ids = TinyRun.tokens(count: (lanes + 1) * steps)
        var notStarted: [Int] = []
        for window in 0..<2 {
            notStarted = []
            let tape = Tape()
            tape.gradientReady = {
                notStarted.append(reduction.elementsNotStarted)
                reduction.ready($0)
            }
            arena.beginStep()
            let context = ForwardContext(
                tape: tape, isTraining: true, leaves: share.leaves,
                random: RandomKey(seed: 1, step: UInt32(window), firstRow: UInt32(share.lanes.lowerBound)))
            func part(_ first: Int) -> Tensor {
                let values = (0..<steps).flatMap { t in share.lanes.map { ids[first + t * lanes + $0] } }
                return Tensor(values, shape: [steps, share.lanes.count])
            }
            let (logits, _) = model(part(0), states: model.beginState(batchSize: share.lanes.count), context)
            let loss = context.softmaxCrossEntropy(
                logits, targets: part(1), gradientScale: 1 / Double(lanes * steps))
            if let seed = loss.seed { tape.backward(from: [seed], hook: reduction.hook) }
            try reduction.finish()
        }
        let values = arena.gradients[0].elements(as: Float.self)
        // The gaps between parameters hold nothing.
        return Pass(gradient: arena.slots.flatMap { values[$0.range] }, notStarted: notStarted)
    }

    @Test(arguments: RecurrentKind.allCases)
    func rowsThatLeaveEarlyGiveTheBitsOfWholeParameters(cell: RecurrentKind) throws {
        let whole = try pass(cell, targetBytes: 1 << 30)
        let rows = try pass(cell, targetBytes: 200)
        #expect(whole.gradient == rows.gradient)
        #expect(rows.gradient.contains { $0 != 0 })
        // One bucket of everything cannot begin before the last parameter.
        #expect(Set(whole.notStarted).count == 1)
    }

    /// When the first parameter of a layer is ready, as a whole, most of its weights have left already. Only the packed
    /// kernels say which rows are finished.
    @Test func mostRowsOfALayerHaveLeftBeforeItIsReady() throws {
        let rows = try pass(.lstm, targetBytes: 200).notStarted
        let model = LanguageModel(try TinyRun.configuration(.lstm).model, seed: 3)
        // From the top: the output layer's bias and weight, then four parameters of the upper layer.
        let upper = model.parameters.reversed()[2..<6].reduce(0) { $0 + $1.count }
        guard DType.float32.kernelBackend == .packed else { return }
        try #require(rows.count == model.parameters.count)
        #expect(rows[0] - rows[2] > upper * 3 / 4)
    }

    /// What is said of other memory, twice, or with rows missing is not taken for more than it is.
    @Test func onlyRowsThatFollowThoseBeforeAreTaken() throws {
        let world = try TestWorld.communicator()
        let parameter = Parameter(name: "w", shape: [40, 16])
        parameter.setData(Tensor(zeros: [40, 16]))
        let subtrees = GradientTree<Float>.arenaCount(leafCount: 8, rank: world.rank, size: world.size)
        let arena = ParameterArena([parameter], subtreeCount: subtrees)
        let reduction = DataParallelReduction(arena, leafCount: 8, communicator: world, targetBytes: 16 * 4 * 4)
        let base = UnsafeRawPointer(arena.gradients[0].rawPointer)
        func finished(_ rows: Range<Int>) {
            reduction.hook.finished(base + rows.lowerBound * 64, byteCount: rows.count * 64)
        }
        let other = [Float](repeating: 0, count: 64)
        for step in 0..<2 {
            for gradient in arena.gradients { gradient.fill(Double(step + 1)) }
            other.withUnsafeBytes { memory in
                if let memory = memory.baseAddress { reduction.hook.finished(memory, byteCount: 256) }
            }
            finished(20..<24)
            #expect(reduction.elementsNotStarted == 640)
            finished(0..<6)
            #expect(reduction.elementsNotStarted == 640 - 64)
            finished(0..<6)
            finished(6..<8)
            #expect(reduction.elementsNotStarted == 640 - 128)
            finished(12..<16)
            #expect(reduction.elementsNotStarted == 640 - 128)
            reduction.ready(parameter)
            #expect(reduction.elementsNotStarted == 0)
            try reduction.finish()
            #expect(reduction.elementsNotStarted == 640)
            let nodes = TreeSumPlan(leafCount: 8, size: world.size).nodes.count
            let total = Float(nodes * (step + 1))
            #expect(arena.gradients[0].elements(as: Float.self).allSatisfy { $0 == total })
        }
    }
}

extension DataParallelReduction {
    /// Elements of the buckets whose exchange has not begun.
    fileprivate var elementsNotStarted: Int {
        zip(remaining, buckets.counts).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
    }
}
