import Baton
import Testing

@testable import BatonCLI

/// Shapes of `bench kernels`: the file they are read from, and what is counted.
@Suite struct KernelShapeTests {
    @Test func commentsAndEmptyLinesArePassedOver() throws {
        let text = "# shapes\n\nlstm 50 32 512 256 # wide\n \t\r\n  gru\t1 2  3 4\nrnn_relu 5 6 7 8"
        #expect(
            try KernelShapeFile.parse(text, name: "s.txt") == [
                KernelShape(cell: .lstm, steps: 50, batch: 32, input: 512, hidden: 256),
                KernelShape(cell: .gru, steps: 1, batch: 2, input: 3, hidden: 4),
                KernelShape(cell: .rnnRelu, steps: 5, batch: 6, input: 7, hidden: 8),
            ])
    }

    @Test(
        arguments: [
            ("lstm 50 32 512", "4 words"), ("lstm", "1 word "), ("lstm 1 2 3 4 5", "6 words"),
            ("lstn 50 32 512 512", "'lstn'"), ("lstm 0 32 512 512", "T is '0'"), ("lstm 50 -1 512 512", "N is '-1'"),
            ("lstm 50 32 5.5 512", "I is '5.5'"), ("gru 50 32 512 1000001", "H is '1000001'"),
            ("gru 50 32 99999999999999999999 5", "I is '99999999999999999999'"),
            ("lstm 1000000 1000000 1000000 1000000", "GiB"),
        ])
    func aWrongLineIsNamed(line: String, reason: String) throws {
        let failure = #expect(throws: CommandFailure.self) {
            try KernelShapeFile.parse("# first\nlstm 1 1 1 1\n\(line)\n", name: "folder/s.txt")
        }
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("folder/s.txt, line 3: "), "\(message)")
        #expect(message.contains(reason), "\(message)")
        #expect(message.contains("expected 'cell T N I H'"), "\(message)")
    }

    @Test func aFileWithoutShapesIsRefused() throws {
        let failure = #expect(throws: CommandFailure.self) { try KernelShapeFile.parse("# none\n", name: "s.txt") }
        #expect(failure?.message.hasPrefix("s.txt names no shape") == true)
    }

    @Test func operationsAreThoseOfTheTwoProducts() {
        // 2 · 4·5 gate rows · (3 + 5) columns · 7 steps · 2 rows
        #expect(KernelShape(cell: .lstm, steps: 7, batch: 2, input: 3, hidden: 5).forwardOperations == 4480)
        #expect(KernelShape(cell: .gru, steps: 7, batch: 2, input: 3, hidden: 5).forwardOperations == 3360)
        #expect(KernelShape(cell: .rnnTanh, steps: 7, batch: 2, input: 3, hidden: 5).forwardOperations == 1120)
    }

    @Test func theBuiltInListHoldsTheShapesThatAreCompared() {
        let shapes = KernelShape.standard
        #expect(shapes.count == 19 && Set(shapes).count == 19)
        for batch in [1, 7, 32, 33] {
            #expect(shapes.contains(KernelShape(cell: .lstm, steps: 50, batch: batch, input: 512, hidden: 512)))
        }
        #expect(shapes.contains(KernelShape(cell: .lstm, steps: 50, batch: 32, input: 200, hidden: 200)))
        #expect(shapes.contains(KernelShape(cell: .lstm, steps: 50, batch: 64, input: 1024, hidden: 1024)))
        #expect(shapes.allSatisfy { $0.floatCount < KernelShapeFile.floatLimit })
    }
}
