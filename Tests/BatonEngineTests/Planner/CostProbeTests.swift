import BatonComm
import BatonKernels
import BatonMPITestSupport
import BatonNN
import Testing

@testable import BatonEngine

/// The probe in the test's world; launch/test runs this under mpirun with 1 to 4 ranks.
@Suite(.serialized) struct CostProbeTests {
    @Test(arguments: [1, 3])
    func everyRankMeasuresTheSameCostsOfWhatForecastsNeed(layers: Int) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(layers: layers)
        let candidates = LayoutCandidate.all(configuration, ranks: world.size)
        let costs = try CostProbe(configuration, world: world).measure(candidates, baseBytes: 1e6)
        #expect(Set(costs.layers.keys) == Set(candidates.map(\.layout.shards)) && costs.notDivided.isEmpty)
        #expect(costs.layers.values.allSatisfy { Set($0.keys) == (layers == 1 ? [.first] : [.first, .inner]) })
        // Only at the rows that forecasts ask for, and cut only where there are stages.
        for (shards, classes) in costs.layers {
            let those = candidates.filter { $0.layout.shards == shards }
            let rows = Set(
                those.map { candidate in
                    let parts = candidate.parts(of: configuration)
                    return (0..<parts).map { LayoutCandidate.lanes($0, of: parts, configuration) }.max() ?? 0
                })
            for measured in classes.values {
                #expect(Set(measured.map(\.rows)) == rows && measured.count == rows.count)
                #expect(those.contains { $0.layout.stages > 1 } || measured.allSatisfy { $0.call == 0 })
            }
        }
        for layer in costs.layers.values.flatMap({ $0.values.joined() }) {
            #expect(layer.rows > 0 && layer.forward > 0 && layer.backward > 0 && layer.weights > 0)
            #expect(layer.begin > 0 && layer.call >= 0)
        }
        // Of the output layer also the parts that stages share.
        let spreads = candidates.filter { $0.output == .spread }
        let parts = spreads.flatMap { $0.outputParts(of: configuration).joined().map(\.rows.count) }
        #expect(costs.output.map(\.rows) == costs.output.map(\.rows).sorted())
        #expect(Set(costs.output.map(\.rows)).isSuperset(of: parts.filter { $0 > 0 }))
        #expect(spreads.isEmpty == (world.size == 1 || layers == 1))
        #expect(costs.output.allSatisfy { $0.forward > 0 && $0.backward > 0 && $0.weights > 0 && $0.begin == 0 })
        #expect(costs.hash > 0 && costs.baseBytes == 1e6)
        #expect((costs.latency > 0) == (world.size > 1))
        let sums = candidates.map(\.layout.replicas) + spreads.map { $0.layout.replicas * $0.layout.stages }
        #expect(Set(costs.sumByte.keys) == Set(sums.filter { $0 > 1 }))
        // Every rank comes to the same plan, down to the bit.
        let forecasts = try LayoutPlanner(configuration, costs: costs).forecasts(candidates)
        var own = forecasts.map(\.secondsPerStep.bitPattern)
        var all = [UInt64](repeating: 0, count: own.count * world.size)
        try own.withUnsafeMutableBytes { own in
            try all.withUnsafeMutableBytes { try world.allGather(UnsafeRawBufferPointer(own), into: $0) }
        }
        #expect((0..<world.size).allSatisfy { Array(all[$0 * own.count..<($0 + 1) * own.count]) == own })
        #expect(forecasts.allSatisfy { $0.secondsPerStep > 0 && $0.secondsPerStep.isFinite })
    }

    /// Times that are made up: of every repetition the slowest rank counts, and a window cut short is corrected for the
    /// chunk that is not computed again.
    @Test func theSlowestRankCountsAndShortWindowsStandForLongOnes() throws {
        let world = try TestWorld.communicator()
        let rounds = ProbeRounds(world: world, stepsPerWindow: 1000)
        let slowness = Double(world.rank + 1)
        let piece = ProbePiece(rows: 3, recomputed: 10) { steps, calls in
            var times = WindowTimes()
            // So slow that only the least is measured: two chunks.
            times.forward = slowness * (Double(steps) + 0.25 * Double(calls - 1))
            times.backward = slowness * (2 * Double(steps) + Double(steps - 10) + 0.25 * Double(calls - 1))
            times.weights = slowness * 3 * Double(steps)
            return times
        }
        let cost = try rounds.measure([piece])[0]
        let size = Double(world.size)
        #expect(abs(cost.forward - size) < 1e-9 && abs(cost.weights - 3 * size) < 1e-9)
        #expect(abs(cost.backward - size * 2.99) < 1e-9)
        // What a cut costs, in the mean of the ranks.
        #expect(abs(cost.call - 0.25 * (size + 1) / 2) < 1e-9)
    }

    @Test(arguments: [(0.01, 7), (0.4, 5), (1.0, 3), (3.0, 3), (5.0, 1), (100.0, 1)])
    func longPiecesAreRepeatedLess(once: Double, count: Int) {
        #expect(ProbeRounds.repetitions(once: once, seconds: 2) == count)
    }

    /// Chunks of all steps are computed once; chunks of one step almost twice.
    @Test func aPieceThatComputesGatesAgainIsMeasuredSo() throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(layers: 1)
        let leaves = LeafPlan.whole(rows: 11)
        func chunk(_ recomputation: Recomputation?) throws -> Int? {
            let probe = try LayerProbe(
                configuration, layer: 0, grid: nil, recomputation: recomputation, subtreeCount: 1)
            let piece = probe.piece(rows: 11, leaves: leaves)
            let rounds = ProbeRounds(world: world, stepsPerWindow: configuration.stepsPerWindow)
            let cost = try rounds.measure([piece])[0]
            #expect(cost.backward > 0 && cost.rows == 11)
            #expect(probe.stage.model.recurrent.recomputation == piece.recomputed.map { .chunks(of: $0) })
            return piece.recomputed
        }
        #expect(try chunk(nil) == nil)
        #expect(try chunk(.chunks(of: 2)) == 2)
        #expect(try chunk(.chunks(of: 100)) == configuration.stepsPerWindow)
    }
}
