import Foundation
import Testing

/// The score table of the documentation names tests that exist, for every row of Gluon's API.
@Suite struct ScoreTableTests {
    private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func rows() throws -> [(row: String, shownBy: String)] {
        let text = try String(
            contentsOf: root.appending(path: "Sources/Baton/Baton.docc/ScoreTable.md"), encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| Row") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return (cells[0], cells.count > 2 ? cells[2] : "")
        }
    }

    @Test func everyRowIsThere() throws {
        let expected =
            (1...21).map { "L\($0)" } + ["C1–C3"] + (4...10).map { "C\($0)" } + (1...8).map { "M\($0)" }
            + (1...21).map { "B\($0)" } + ["P1", "I1"] + (1...4).map { "N\($0)" } + (1...4).map { "X\($0)" }
        #expect(try rows().map(\.row) == expected)
    }

    @Test func everyNamedTestExists() throws {
        let tests = root.appending(path: "Tests").path
        var sources: [String: String] = [:]
        for file in try FileManager.default.subpathsOfDirectory(atPath: tests) where file.hasSuffix("Tests.swift") {
            let name = URL(filePath: file).deletingPathExtension().lastPathComponent
            sources[name] = try String(contentsOfFile: "\(tests)/\(file)", encoding: .utf8)
        }
        var count = 0
        for (row, shownBy) in try rows() {
            let spans = shownBy.split(separator: "`").filter { $0.contains("/") && !$0.hasPrefix("launch/") }
            #expect(!spans.isEmpty, "\(row) names no test")
            for span in spans {
                let parts = span.split(separator: "/", maxSplits: 1)
                let source = sources[String(parts[0])] ?? ""
                #expect(
                    source.contains("func \(parts[1])(") || source.contains("func `\(parts[1])`("), "\(row): \(span)")
                count += 1
            }
        }
        #expect(count > 60)
    }
}
