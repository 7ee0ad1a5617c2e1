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

    /// With one lane most ranks own nothing.
    @Test(arguments: [(1, 1), (2, 2), (11, 8), (64, 8)])
    func gatheringThePartsGivesTheWhole(lanes: Int, leafCount: Int) throws {
        let world = try TestWorld.communicator()
        let handoff = StateHandoff(lanes: lanes, leafCount: leafCount)
        let whole = numbered(layers: 3, lanes: lanes, hidden: 5)
        let part = handoff.part(of: whole, rank: world.rank, size: world.size)
        let gathered = try handoff.gather(part, on: world)
        #expect(gathered.shape == [3, lanes, 5])
        #expect(gathered.elements(as: Float.self) == whole.elements(as: Float.self))
    }

    @Test(arguments: 1...9)
    func partsHoldEachLaneOnceInOrder(size: Int) {
        let handoff = StateHandoff(lanes: 11, leafCount: 8)
        let whole = numbered(layers: 2, lanes: 11, hidden: 4)
        let parts = (0..<size).map { handoff.part(of: whole, rank: $0, size: size) }
        #expect(parts.map { $0.shape[1] }.reduce(0, +) == 11)
        for layer in 0..<2 {
            let joined = parts.flatMap { part in
                let count = part.shape[1] * 4
                return part.elements(as: Float.self)[layer * count..<(layer + 1) * count]
            }
            #expect(joined == Array(whole.elements(as: Float.self)[layer * 44..<(layer + 1) * 44]))
        }
    }
}
