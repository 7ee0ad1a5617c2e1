import Baton
import BatonTestSupport
import Foundation
import Testing

/// `baton run` on several ranks writes the files of one process, byte for byte.
@Suite(.serialized) struct RunLayoutTests {
    private static let launcher = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "launch/run").path

    private func ranks(_ count: Int, _ arguments: [String]) throws -> BatonProcess {
        try BatonProcess(
            URL(filePath: "/usr/bin/env"),
            ["timeout", "--kill-after=5", "100", Self.launcher, "-n", String(count), "--"] + arguments,
            environment: ["OPENBLAS_NUM_THREADS": "1"], without: ["BATON_ISA", "OPENBLAS_CORETYPE"])
    }

    /// All files a run wrote, by name; removed afterwards.
    private func written(_ folder: RunFolder) throws -> [String: Data] {
        let names = ["y.npy", "hn.npy", "cn.npy"] + (try TemporaryFolder.names(folder.path("g"))).map { "g/" + $0 }
        var files: [String: Data] = [:]
        for name in names {
            files[name] = FileManager.default.contents(atPath: folder.path(name))
            try? FileManager.default.removeItem(atPath: folder.path(name))
        }
        return files
    }

    static let cases: [(shape: RunOracleTests.Case, layouts: [(ranks: Int, layout: String)])] = [
        (
            RunOracleTests.Case(
                cell: .lstm, layers: 2, directions: 2, steps: 6, batch: 5, input: 5, hidden: 18, axes: .NTC,
                projection: 7, lengths: [6, 0, 3, 1, 4]),
            [(2, "dir=2"), (2, "dp=2"), (4, "pp=2,dir=2"), (3, "dp=3"), (2, "auto")]
        ),
        (
            RunOracleTests.Case(
                cell: .gru, layers: 3, directions: 1, steps: 9, batch: 4, input: 4, hidden: 33, hasStates: false,
                lengths: [9, 2, 0, 5]),
            [(2, "pp=2"), (4, "dp=4"), (3, "auto"), (2, "shard=2"), (4, "dp=2,shard=2"), (3, "shard=3")]
        ),
        (
            RunOracleTests.Case(
                cell: .rnnTanh, layers: 2, directions: 2, steps: 4, batch: 2, input: 3, hidden: 9, dtype: .float64,
                hasBiases: false),
            [(2, "pp=2"), (4, "dp=2,dir=2")]
        ),
        (
            RunOracleTests.Case(
                cell: .lstm, layers: 2, directions: 1, steps: 5, batch: 1, input: 3, hidden: 21, projection: 11),
            [(2, "shard=2"), (4, "pp=2,shard=2"), (3, "auto")]
        ),
    ]

    @Test(arguments: cases.indices) func everyLayoutWritesTheFilesOfOneProcess(index: Int) throws {
        let one = Self.cases[index]
        var random = SeededRandom(seed: 17)
        var stack = OracleStack.random(
            one.shape.cell, layers: one.shape.layers, directions: one.shape.directions, inputSize: one.shape.input,
            hidden: one.shape.hidden, projection: one.shape.projection, using: &random)
        if !one.shape.hasBiases { stack.clearBiases() }
        stack.round(to: one.shape.dtype)
        let folder = try RunFolder(dtype: one.shape.dtype)
        defer { folder.remove() }
        let arguments = try RunOracleArrays(one.shape, using: &random).write(one.shape, stack, into: folder)
        let alone = try ranks(1, arguments)
        #expect(alone.status == 0, "\(alone.error)")
        let expected = try written(folder)
        #expect(expected.count > 5)
        for (count, layout) in one.layouts {
            let run = try ranks(count, arguments + ["--layout", layout, "--json"])
            #expect(run.status == 0, "\(layout): \(run.error)")
            if layout != "auto" { #expect(try run.json()["layout"] as? String == layout) }
            let files = try written(folder)
            #expect(Set(files.keys) == Set(expected.keys), "\(layout)")
            for (name, bytes) in expected { #expect(files[name] == bytes, "\(one.shape), \(layout): \(name)") }
        }
    }

    /// Rows of int8 have scales of their own, which every rank that needs a row makes itself.
    @Test(arguments: [WeightPrecision.bfloat16, .int8], [1, 2])
    func reducedPrecisionHasTheBitsOfOneProcessToo(precision: WeightPrecision, directions: Int) throws {
        let shape = RunOracleTests.Case(
            cell: .lstm, layers: 2, directions: directions, steps: 3, batch: 5, input: 530, hidden: 40)
        var random = SeededRandom(seed: 23)
        let stack = OracleStack.random(
            shape.cell, layers: shape.layers, directions: directions, inputSize: shape.input, hidden: shape.hidden,
            projection: nil, using: &random)
        let folder = try RunFolder(dtype: .float32)
        defer { folder.remove() }
        let all = try RunOracleArrays(shape, using: &random).write(shape, stack, into: folder)
        // Gradients are of the weights themselves.
        var arguments = all
        for flag in all where flag.hasPrefix("--grad") {
            guard let place = arguments.firstIndex(of: flag) else { continue }
            arguments.removeSubrange(place...place + 1)
        }
        func output(_ count: Int, _ flags: [String]) throws -> Data? {
            let run = try ranks(count, arguments + flags)
            #expect(run.status == 0, "\(flags): \(run.error)")
            defer { try? FileManager.default.removeItem(atPath: folder.path("y.npy")) }
            return FileManager.default.contents(atPath: folder.path("y.npy"))
        }
        let exact = try output(1, [])
        let reduced = ["--precision", precision.rawValue]
        let expected = try output(1, reduced)
        #expect(expected != nil && expected != exact)
        let layouts = directions == 1 ? [(2, "pp=2"), (3, "dp=3"), (2, "shard=2")] : [(2, "dir=2"), (4, "pp=2,dir=2")]
        for (count, layout) in layouts {
            #expect(try output(count, reduced + ["--layout", layout]) == expected, "\(layout)")
        }
    }

    @Test(arguments: [
        (2, ["--layout", "dir=2"], "dir=2 divides the two directions", Int32(2)),
        (2, ["--layout", "dp=2,pp=2"], "needs 4 ranks", 2), (2, ["--layout", "dp=2,shard=2"], "needs 4 ranks", 2),
        (3, ["--layout", "dp=3"], "at most dp=2", 2), (2, ["--weights", "nowhere"], "nowhere", 1),
        (2, ["--layout", "pp=x"], "pp=x", 2),
    ])
    func whatDoesNotFitIsRefusedOnAllRanks(count: Int, flags: [String], words: String, status: Int32) throws {
        let shape = RunOracleTests.Case(cell: .gru, layers: 2, directions: 1, steps: 3, batch: 2, input: 3, hidden: 4)
        var random = SeededRandom(seed: 1)
        let stack = OracleStack.random(
            shape.cell, layers: 2, directions: 1, inputSize: 3, hidden: 4, projection: nil, using: &random)
        let folder = try RunFolder(dtype: .float32)
        defer { folder.remove() }
        var arguments = try RunOracleArrays(shape, using: &random).write(shape, stack, into: folder)
        for (flag, value) in zip(flags, flags.dropFirst()) where flag.hasPrefix("--") {
            if let place = arguments.firstIndex(of: flag) {
                arguments[place + 1] = value
            } else {
                arguments += [flag, value]
            }
        }
        let run = try ranks(count, arguments)
        #expect(run.status == status, "\(run.error)")
        #expect(run.error.contains(words), "\(run.error)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("y.npy")))
    }
}
