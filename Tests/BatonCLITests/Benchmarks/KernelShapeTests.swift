import Baton
import Testing

@testable import BatonCLI

/// Shapes of `bench kernels`: the file they are read from, and what is counted.
@Suite struct KernelShapeTests {
    @Test func commentsAndEmptyLinesArePassedOver() throws {
        let text =
            "# shapes\n\nlstm 50 32 512 256 # wide\n \t\r\n  gru\t1 2  3 4\nrnn_relu 5 6 7 8\nlstm 1 2 3 4 bidirectional layers=3"
        #expect(
            try KernelShapeFile.parse(text, name: "s.txt") == [
                KernelShape(cell: .lstm, steps: 50, batch: 32, input: 512, hidden: 256),
                KernelShape(cell: .gru, steps: 1, batch: 2, input: 3, hidden: 4),
                KernelShape(cell: .rnnRelu, steps: 5, batch: 6, input: 7, hidden: 8),
                KernelShape(
                    cell: .lstm, steps: 1, batch: 2, input: 3, hidden: 4, layers: 3, bidirectional: true),
            ])
    }

    @Test(
        arguments: [
            ("lstm 50 32 512", "4 words"), ("lstm", "1 word "), ("lstm 1 2 3 4 5", "'5'"),
            ("lstn 50 32 512 512", "'lstn'"), ("lstm 0 32 512 512", "T is '0'"), ("lstm 50 -1 512 512", "N is '-1'"),
            ("lstm 50 32 5.5 512", "I is '5.5'"), ("gru 50 32 512 1000001", "H is '1000001'"),
            ("gru 50 32 99999999999999999999 5", "I is '99999999999999999999'"),
            ("lstm 1 2 3 4 layers=0", "layers is '0'"), ("lstm 1 2 3 4 layers", "'layers'"),
            ("lstm 1 2 3 4 bidirectional=1", "'bidirectional=1'"),
            ("lstm 1 2 3 4 bidirectional bidirectional", "twice"), ("lstm 1 2 3 \u{1B}8", "H is '\\u{1B}8'"),
            ("lstm 1 2 3 4 layers=1001", "1 to 1000"),
        ])
    func aWrongLineIsNamed(line: String, reason: String) throws {
        let failure = #expect(throws: CommandFailure.self) {
            try KernelShapeFile.parse("# first\nlstm 1 1 1 1\n\(line)\n", name: "folder/s.txt")
        }
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("folder/s.txt, line 3: "), "\(message)")
        #expect(message.contains(reason), "\(message)")
        #expect(message.contains("expected 'cell T N I H [layers=L]"), "\(message)")
    }

    @Test func aStreamHasOneDirection() throws {
        let failure = #expect(throws: CommandFailure.self) {
            try KernelShapeFile.parse("lstm 1 1 1 1\nlstm 1 2 3 4 bidirectional", name: "s.txt", streams: true)
        }
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("s.txt, line 2: the reverse direction of a bidirectional stack"), "\(message)")
        #expect(message.contains("expected 'cell T N I H [layers=L]' with"), "\(message)")
    }

    /// The second, of one unit, takes what it does because kernels fill vectors up.
    @Test(arguments: ["lstm 1000000 1000000 1000000 1000000", "lstm 1000000 100 1 1", "rnn_relu 1000000 1 1000 1"])
    func whatWouldNotFitIsNamed(line: String) throws {
        let failure = #expect(throws: CommandFailure.self) {
            try KernelShapeFile.parse("lstm 1 1 1 1\n\(line)\n", name: "folder/s.txt")
        }
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("folder/s.txt, line 2: The shape '\(line)' needs about "), "\(message)")
        #expect(message.hasSuffix(" are the limit; give smaller sizes."), "\(message)")
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

    @Test func stacksAndDirectionsAreSummed() {
        let shape = KernelShape(cell: .gru, steps: 7, batch: 2, input: 3, hidden: 5, layers: 2, bidirectional: true)
        #expect(shape.inputChains == [[3], [5, 5]])
        // 3·5 gate rows, two directions: (3 + 5) columns below, (5 + 5 + 5) above.
        let weights = Double(2 * 15 * (8 + 15))
        #expect(shape.forwardOperations == 2 * weights * 14)
        #expect(shape.weightBytes == 4 * weights)
        // The hidden side at every step, the input side once in seven.
        let hidden = 4 * Double(4 * 15 * 5)
        #expect(abs(shape.weightBytesPerStep - (hidden + (4 * weights - hidden) / 7)) < 1e-9)
        #expect(shape.workingSetBytes == 4 * 15 * 5)
    }

    @Test func aSingleStepReadsAllWeights() {
        let shape = KernelShape(cell: .lstm, steps: 1, batch: 1, input: 512, hidden: 512, layers: 2)
        #expect(shape.weightBytes == 16 * 0x1p20)
        #expect(shape.weightBytesPerStep == shape.weightBytes && shape.workingSetBytes == shape.weightBytes)
    }

    @Test func aShapeIsReadFromTheLineItPrints() throws {
        for shape in KernelShape.standard + KernelShape.streaming {
            #expect(try KernelShapeFile.parse(KernelShapeFile.line(shape), name: "s.txt") == [shape])
        }
    }

    @Test func theBuiltInListHoldsTheShapesThatAreCompared() {
        let shapes = KernelShape.standard
        #expect(Set(shapes).count == shapes.count)
        for batch in [1, 2, 4, 7, 8, 12, 16, 33, 64, 128] {
            for cell in [RecurrentKind.lstm, .gru, .rnnTanh] {
                #expect(shapes.contains(KernelShape(cell: cell, steps: 50, batch: batch, input: 512, hidden: 512)))
            }
        }
        for cell in [RecurrentKind.lstm, .gru, .rnnTanh] {
            #expect(shapes.contains(KernelShape(cell: cell, steps: 50, batch: 64, input: 1024, hidden: 1024)))
            #expect(shapes.contains { $0.cell == cell && $0.bidirectional })
            #expect(shapes.contains { $0.cell == cell && $0.input == 40 && $0.hidden == 128 })
        }
        for hidden in [128, 200, 256, 1024, 2048] { #expect(shapes.contains { $0.hidden == hidden }) }
        #expect(shapes.allSatisfy { $0.floatCount < KernelShape.floatLimit })
        #expect(KernelShape.streaming.allSatisfy { !$0.bidirectional } && KernelShape.streaming[0].steps == 1)
    }
}
