import BatonComm
import BatonMPITestSupport
import Testing

@testable import BatonEngine

@Suite(.serialized) struct GlobalSumTests {
    @Test(arguments: [1, 2, 4, 8])
    func totalsHaveTheBitsOfOneProcess(leafCount: Int) throws {
        let world = try TestWorld.communicator()
        let losses = LeafGradients<Double>(leafCount: leafCount, elements: 20, seed: 4)
        let sum = GlobalSum(leafCount: leafCount, communicator: world)
        for index in 0..<20 {
            let own = world.rank * leafCount / world.size..<(world.rank + 1) * leafCount / world.size
            let totals = try sum.combine(
                own.map { LeafTotals(lossSum: losses.value($0, index), tokenCount: 1 << 53 + $0) })
            #expect(totals.lossSum == losses.sum(0..<leafCount, index))
            // Beyond 2⁵³: a count that went through a Double would lose its low bits.
            #expect(totals.tokenCount == (0..<leafCount).reduce(0) { $0 + 1 << 53 + $1 })
        }
    }

    @Test func notANumberReachesEveryRank() throws {
        let world = try TestWorld.communicator()
        let sum = GlobalSum(leafCount: 8, communicator: world)
        let own = world.rank * 8 / world.size..<(world.rank + 1) * 8 / world.size
        let totals = try sum.combine(own.map { LeafTotals(lossSum: $0 == 5 ? .nan : 1, tokenCount: 1) })
        #expect(totals.lossSum.isNaN && totals.tokenCount == 8)
    }
}
