import BatonKernels
import Testing

/// What the ceilings count: a sweep's sum proves its reads; that the peak's loop runs is seen in its figures only.
@Suite struct CeilingTests {
    @Test(arguments: ReadSweep.Order.allCases, [0, 1, 64, 4096, 100_000, 1 << 20])
    func `a sweep reads every float once`(order: ReadSweep.Order, byteCount: Int) {
        let sweep = ReadSweep(byteCount: byteCount)
        #expect(sweep.byteCount <= max(byteCount, 256) && sweep.byteCount % 64 == 0)
        #expect(sweep.byteCount > byteCount - 256)
        #expect(sweep.run(order) == Float(sweep.byteCount / 4))
    }

    @Test func `the operations counted for the peak are whole vectors and linear in the repetitions`() {
        let one = FMAPeak.run(repetitions: 1)
        #expect(one > 0 && one % 8 == 0)
        #expect(FMAPeak.run(repetitions: 3) == 3 * one)
    }
}
