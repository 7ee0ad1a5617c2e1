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
        #expect(costs.layers.values.allSatisfy { Set($0.keys) == (layers == 1 ? [.only] : [.first, .inner, .last]) })
        for layer in costs.layers.values.flatMap({ $0.values.joined() }) {
            #expect(layer.rows > 0 && layer.forward > 0 && layer.backward > 0 && layer.weights > 0)
            #expect(layer.begin > 0 && layer.call >= 0)
        }
        #expect(costs.hash > 0 && costs.baseBytes == 1e6)
        #expect((costs.latency > 0) == (world.size > 1))
        #expect(Set(costs.sumByte.keys) == Set(candidates.map(\.layout.replicas).filter { $0 > 1 }))
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
}
