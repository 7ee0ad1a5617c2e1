import BatonComm
import BatonMPITestSupport
import BatonTensor
import Testing

@testable import BatonEngine

@Suite(.serialized) struct StateHandoffTests {
    /// (L, B, H) with every element its own number.
    private func numbered(layers: Int, lanes: Int, hidden: Int) -> Tensor {
        Tensor((0..<layers * lanes * hidden).map { Float($0) }, shape: [layers, lanes, hidden])
    }

    /// With one lane most replicas own nothing.
    @Test(arguments: [(1, 1), (2, 2), (11, 8), (64, 8)])
    func gatheringThePartsGivesTheWhole(lanes: Int, leafCount: Int) throws {
        let world = try TestWorld.communicator()
        for layout in TinyRun.layouts(ranks: world.size, layers: 3) {
            let grid = try ProcessGrid(layout, world: world)
            let handoff = Self.handoff(lanes: lanes, leafCount: leafCount, layers: 3, layout)
            let whole = numbered(layers: 3, lanes: lanes, hidden: 5)
            let part = handoff.part(of: whole, at: grid.place)
            #expect(part.shape[0] == handoff.partition.stages[grid.place.stage].count)
            let gathered = try handoff.gather(part, on: grid)
            #expect(gathered.shape == [3, lanes, 5])
            #expect(gathered.elements(as: Float.self) == whole.elements(as: Float.self))
        }
    }

    /// The parts of all places together hold every (lane, layer) once, where the owner map says.
    @Test(arguments: 1...9, 1...3)
    func partsHoldEachLaneAndLayerOnce(replicas: Int, stages: Int) {
        let layout = ParallelLayout(replicas: replicas, stages: stages)
        let handoff = Self.handoff(lanes: 11, leafCount: 8, layers: 3, layout)
        let whole = numbered(layers: 3, lanes: 11, hidden: 2)
        var owners: [Int: [Int]] = [:]
        for rank in 0..<layout.rankCount {
            let part = handoff.part(of: whole, at: layout.place(ofRank: rank)).elements(as: Float.self)
            for element in part where Int(element) % 2 == 0 { owners[Int(element) / 2, default: []].append(rank) }
        }
        for layer in 0..<3 {
            for lane in 0..<11 {
                #expect(owners[layer * 11 + lane] == [handoff.owner(lane: lane, layer: layer)])
            }
        }
    }

    private static func handoff(lanes: Int, leafCount: Int, layers: Int, _ layout: ParallelLayout) -> StateHandoff {
        StateHandoff(
            lanes: lanes, leafCount: leafCount,
            partition: StagePartition(costs: Array(repeating: 1, count: layers), stages: layout.stages),
            layout: layout)
    }
}
