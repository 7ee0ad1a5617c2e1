import BatonData
import BatonTensor
import Testing

@Suite struct IdentifiersTests {
    private func expectError(_ sentence: String, _ check: () throws -> Void) {
        let error = #expect(throws: DataError.self) { try check() }
        #expect(error?.code == .unknownIdentifier)
        #expect(error?.message.hasPrefix(sentence) == true, "\(String(describing: error))")
    }

    @Test func tokensOutsideTheVocabularyAreNamedWithTheirPlace() throws {
        try Identifiers.check([0, 4, 2], below: 5)
        try Identifiers.check([], below: 5)
        expectError("Token 5 at position 2 is none of the 5 known, 0 to 4;") {
            try Identifiers.check([0, 4, 5, -1], below: 5)
        }
        expectError("Token -1 at position 0 is") { try Identifiers.check([-1], below: 5) }
    }

    @Test func labelsOfEveryTypeAreChecked() throws {
        try Identifiers.check(Tensor([Int32(0), 8], shape: [2]), below: 9)
        try Identifiers.check(Tensor([Int64(0), 8], shape: [2, 1]), below: 9)
        try Identifiers.check(Tensor([Float(0), 8], shape: [1, 2]), below: 9)
        expectError("Class 9 at position 1 is none of the 9 known") {
            try Identifiers.check(Tensor([Int64(0), 9], shape: [2]), below: 9, what: "Class")
        }
        for wrong in [Float(-1), 9, 1.5, .nan, .infinity] {
            expectError("Class \(Double(wrong)) at position 1 is none of the 9 known") {
                try Identifiers.check(Tensor([0, wrong], shape: [2]), below: 9, what: "Class")
            }
        }
    }

    @Test func lanesTellAVocabularyThatIsTooSmall() throws {
        let windows = try LaneWindows(tokens: [0, 1, 2, 3, 4], lanes: 2, steps: 2, tail: .dropped)
        try windows.check(vocabularySize: 5)
        expectError("Token 4 at position 4 is none of the 4 known") { try windows.check(vocabularySize: 4) }
    }
}
