import Foundation
import Testing

@testable import BatonCLI

@Suite struct MetricsFileTests {
    private func row(_ step: Int) -> MetricsRow {
        MetricsRow(
            step: step, loss: 4.25 / Double(step), gradientNorm: 0.1 * Double(step), parameterHash: 0xAB << 48 | 7,
            tokens: 4096, rowsThisRank: 32, seconds: 0.015625)
    }

    private func withFile(_ body: (_ path: String) throws -> Void) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try body(folder.file("metrics.csv"))
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func aRowHasTheColumnsOfTheContract() throws {
        try withFile { path in
            let file = try MetricsFile(path: path)
            try file.append(row(1))
            #expect(
                try text(path) == """
                    step,loss,loss_bits,grad_norm,grad_norm_bits,param_hash,tokens,rows_this_rank,seconds
                    1,4.25,4011000000000000,0.1,3fb999999999999a,00ab000000000007,4096,32,0.015625

                    """)
        }
    }

    @Test func rowsAreReadBackBitForBit() throws {
        try withFile { path in
            let file = try MetricsFile(path: path)
            for step in 1...50 { try file.append(row(step)) }
            #expect(try MetricsFile.rows(path: path) == (1...50).map(row))
        }
    }

    @Test func lossesThatAreNotNumbersAreWritten() throws {
        try withFile { path in
            var odd = row(1)
            odd.loss = .nan
            odd.gradientNorm = .infinity
            let file = try MetricsFile(path: path)
            try file.append(odd)
            let back = try MetricsFile.rows(path: path)
            #expect(back.first?.loss.bitPattern == odd.loss.bitPattern)
            #expect(back.first?.gradientNorm == .infinity)
        }
    }

    @Test func resumingDropsLaterRowsAndTheTornOne() throws {
        try withFile { path in
            var file = try MetricsFile(path: path)
            for step in 1...30 { try file.append(row(step)) }
            try Data((text(path) + "31,0.137").utf8).write(to: URL(fileURLWithPath: path))
            file = try MetricsFile(path: path, resumedStep: 20)
            #expect(try MetricsFile.rows(path: path) == (1...20).map(row))
            try file.append(row(21))
            #expect(try MetricsFile.rows(path: path) == (1...21).map(row))
        }
    }

    @Test func aTornRowIsNotGluedToTheNext() throws {
        try withFile { path in
            var file = try MetricsFile(path: path)
            try file.append(row(1))
            try Data((text(path) + "2,0.5").utf8).write(to: URL(fileURLWithPath: path))
            file = try MetricsFile(path: path, resumedStep: 7)
            try file.append(row(2))
            #expect(try MetricsFile.rows(path: path) == [row(1), row(2)])
        }
    }

    /// What a power cut leaves at the end of a file is none of the rows that count; before them it is.
    @Test(arguments: [[UInt8](repeating: 0, count: 40), [0xFF, 0xFE], []]) func whatFollowsTheResumedStepMayBeAnything(
        _ bytes: [UInt8]
    ) throws {
        try withFile { path in
            let file = try MetricsFile(path: path)
            for step in 1...3 { try file.append(row(step)) }
            let torn = try Data(contentsOf: URL(fileURLWithPath: path)) + bytes + Data("\n4,1\n".utf8)
            try torn.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: CommandFailure.self) { _ = try MetricsFile(path: path, resumedStep: 4) }
            #expect(error?.message.contains("line 5") == true && error?.message.contains("\0") == false)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == torn)
            let resumed = try MetricsFile(path: path, resumedStep: 3)
            try resumed.append(row(4))
            #expect(try MetricsFile.rows(path: path) == (1...4).map(row))
        }
    }

    @Test func startingAnewReplacesAnOlderFile() throws {
        try withFile { path in
            let old = try MetricsFile(path: path)
            try old.append(row(9))
            _ = try MetricsFile(path: path)
            #expect(try text(path) == MetricsRow.header + "\n")
        }
    }

    @Test func resumingWithoutAFileStartsOne() throws {
        try withFile { path in
            let file = try MetricsFile(path: path, resumedStep: 4)
            try file.append(row(5))
            #expect(try MetricsFile.rows(path: path) == [row(5)])
        }
    }

    @Test func aFileOfAnotherKindIsRefusedAndKept() throws {
        try withFile { path in
            try Data("a,b,c\n1,2,3\n".utf8).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: CommandFailure.self) { _ = try MetricsFile(path: path, resumedStep: 1) }
            #expect(error?.message.contains("'a,b,c'") == true)
            #expect(try text(path) == "a,b,c\n1,2,3\n")
        }
    }

    @Test func validationRowsAreReadBack() throws {
        try withFile { path in
            var file = try ValidationFile(path: path)
            let rows = [
                ValidationRow(step: 10, loss: 1.5, tokens: 99), ValidationRow(step: 20, loss: 1.25, tokens: 99),
            ]
            for row in rows { try file.append(row) }
            #expect(try ValidationFile.rows(path: path) == rows)
            file = try ValidationFile(path: path, resumedStep: 10)
            #expect(try ValidationFile.rows(path: path) == [rows[0]])
        }
    }
}
