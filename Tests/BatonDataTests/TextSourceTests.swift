import BatonData
import Foundation
import Testing

@Suite struct TextSourceTests {
    @Test func filesAreJoinedInOrderAndNeverInOneLine() throws {
        let files = try [TemporaryText("no newline"), TemporaryText("with newline\n"), TemporaryText("last")]
        defer { for file in files { file.remove() } }
        #expect(try TextSource.read(paths: files.map(\.path)) == "no newline\nwith newline\nlast")
    }

    @Test func theByteOrderMarkIsDroppedAndCarriageReturnsStay() throws {
        let first = try TemporaryText([0xEF, 0xBB, 0xBF] + "a\r\n".utf8)
        defer { first.remove() }
        let second = try TemporaryText([0xEF, 0xBB, 0xBF] + "é".utf8)
        defer { second.remove() }
        let text = try TextSource.read(paths: [first.path, second.path])
        #expect(Array(text.utf8) == Array("a\r\né".utf8))
    }

    private func expectError(_ code: DataError.Code, _ paths: [String], _ parts: [String]) {
        let error = #expect(throws: DataError.self) { try TextSource.read(paths: paths) }
        #expect(error?.code == code)
        for part in parts {
            #expect(error?.message.contains(part) == true, "no \(part) in: \(String(describing: error))")
        }
        #expect(error?.message.hasSuffix(".") == true && error?.message.contains(";") == true)
    }

    @Test func everyUnreadableInputIsNamed() throws {
        let good = try TemporaryText("good")
        defer { good.remove() }
        expectError(.noFiles, [], [])
        expectError(.cannotRead, [good.path, "/no/such/file"], ["/no/such/file"])
        expectError(.cannotRead, [FileManager.default.temporaryDirectory.path], ["directory"])
        let empty = try TemporaryText("")
        defer { empty.remove() }
        expectError(.empty, [good.path, empty.path], [empty.path])
        let mark = try TemporaryText([0xEF, 0xBB, 0xBF])
        defer { mark.remove() }
        expectError(.empty, [mark.path], [mark.path])
    }

    @Test(arguments: [
        ([0x61, 0x62, 0xFF, 0x63], 2), ([0xC3], 0), ([0xC3, 0xA9, 0xED, 0xA0, 0x80], 2), ([0x61, 0xC0, 0x80], 1),
    ])
    func textThatIsNotUTF8IsRefusedAtItsFirstBadByte(bytes: [UInt8], position: Int) throws {
        let file = try TemporaryText(bytes)
        defer { file.remove() }
        expectError(.notUTF8, [file.path], [file.path, "byte \(position) "])
    }
}
