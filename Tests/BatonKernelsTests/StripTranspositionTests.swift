import BatonKernelABI
import Testing

@testable import BatonKernels

/// Rows that become a strip of a panel.
struct StripTranspositionTests {
    @Test(arguments: InstructionSet.available, [1, 3, 4, 8, 15, 16, 17, 33, 100])
    func everyRowBecomesALane(_ set: InstructionSet, _ depth: Int) {
        for rows in 1...set.table.laneCount { expectEveryRowBecomesALane(set.table, rows, depth) }
    }

    private func expectEveryRowBecomesALane(_ table: KernelTable, _ rows: Int, _ depth: Int) {
        let lanes = table.laneCount
        let (stride, targetStride) = (depth + 3, 3 * lanes)
        let source = (0..<rows * stride).map(Float.init)
        var target = [Float](repeating: -1, count: depth * targetStride + lanes)
        // The last row ends where its memory ends.
        let memory = Memory<Float>(Array(source.dropLast(3)))
        defer { withExtendedLifetime(memory) {} }
        target.withUnsafeMutableBufferPointer {
            guard let base = $0.baseAddress else { return }
            table.transposeRows(
                StripTransposeArguments(
                    source: memory.pointer, stride: stride, rows: rows, depth: depth, target: base + lanes,
                    targetStride: targetStride))
        }
        let wrong = target.indices.first { index in
            let (k, lane) = (index / targetStride, index % targetStride - lanes)
            let isOfStrip = (0..<lanes).contains(lane) && k < depth
            let expected: Float = !isOfStrip ? -1 : lane < rows ? source[lane * stride + k] : 0
            return target[index] != expected
        }
        #expect(wrong == nil, "\(rows) rows")
    }
}
