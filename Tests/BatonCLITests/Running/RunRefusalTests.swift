import Baton
import Foundation
import Testing

/// What `baton run` refuses: one sentence that names both sides, a status, and no file written.
@Suite struct RunRefusalTests {
    /// A valid run of a GRU, C = 3, H = 4, T = 5, N = 2, whose files and flags a test then spoils.
    private struct Valid {
        let folder: RunFolder
        var arguments: [String]

        init() throws {
            folder = try RunFolder(dtype: .float32)
            try folder.writeWeights(Self.weights())
            try folder.write(Array(repeating: 0.5, count: 30), [5, 2, 3], as: "x.npy")
            arguments = [
                "run", "--weights", folder.path("w.safetensors"), "--kind", "gru", "--input", folder.path("x.npy"),
                "--output", folder.path("y.npy"),
            ]
        }

        static func weights() -> [(name: String, values: [Double], shape: [Int])] {
            [("weight_ih_l0", [12, 3]), ("weight_hh_l0", [12, 4]), ("bias_ih_l0", [12]), ("bias_hh_l0", [12])].map {
                ($0.0, Array(repeating: 0.1, count: $0.1.reduce(1, *)), $0.1)
            }
        }

        /// Expects a refusal with all of the words, and no new file.
        func expectRefusal(_ status: Int32, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation) throws
        {
            let before = try folder.folder.names()
            let run = try BatonProcess(arguments)
            #expect(run.status == status, "\(run.output)\(run.error)", sourceLocation: sourceLocation)
            #expect(run.error.hasPrefix("baton: "), "\(run.error)", sourceLocation: sourceLocation)
            let sentences = run.error.split(separator: "\n").filter { !$0.hasPrefix("See ") }
            #expect(sentences.count == 1, "\(run.error)", sourceLocation: sourceLocation)
            for word in words {
                #expect(run.error.contains(word), "\(run.error)", sourceLocation: sourceLocation)
            }
            #expect(run.output == "", sourceLocation: sourceLocation)
            #expect(try folder.folder.names() == before, sourceLocation: sourceLocation)
        }
    }

    /// Results would be all that is left of what they were made from.
    @Test(arguments: [("x.npy", "--input"), ("./w.safetensors", "--weights")])
    func anOutputThatIsAnInputIsRefused(name: String, flag: String) throws {
        var valid = try Valid()
        defer { valid.folder.remove() }
        valid.arguments[valid.arguments.count - 1] = valid.folder.path(name)
        let before = try valid.folder.folder.bytes("x.npy")
        try valid.expectRefusal(2, ["would replace what \(flag) reads; name another file."])
        #expect(try valid.folder.folder.bytes("x.npy") == before)
    }

    /// Other spellings of the same file, and the names that gradients get.
    @Test(arguments: [
        (["--output", "../$/x.npy"], 2, "--output"), (["--output", "link.npy"], 2, "--output"),
        (["--output", "hard.npy"], 2, "--output"), (["--output", "y.npy", "--state-out", "x.npy"], 2, "--state-out"),
        (["--output", "y.npy", "--grad-output", "dy.npy", "--grad-dir", ""], 1, "weight_ih_l0"),
    ])
    func anInputUnderAnotherNameIsNotReplaced(flags: [String], status: Int32, word: String) throws {
        var valid = try Valid()
        defer { valid.folder.remove() }
        let path = valid.folder.path
        try FileManager.default.createSymbolicLink(atPath: path("link.npy"), withDestinationPath: "x.npy")
        try FileManager.default.linkItem(atPath: path("x.npy"), toPath: path("hard.npy"))
        // A gradient of the weights would bear the name of this one of the output.
        try valid.folder.write(Array(repeating: 0.5, count: 40), [5, 2, 4], as: "weight_ih_l0.npy")
        try FileManager.default.linkItem(atPath: path("weight_ih_l0.npy"), toPath: path("dy.npy"))
        let name = URL(filePath: path("")).standardized.lastPathComponent
        valid.arguments.removeLast(2)
        valid.arguments += flags.enumerated().map { index, word in
            index % 2 == 0 ? word : path(word.replacing("$", with: name))
        }
        let before = try ["x.npy", "dy.npy"].map { try valid.folder.folder.bytes($0) }
        try valid.expectRefusal(status, [word, "would replace what --"])
        #expect(try ["x.npy", "dy.npy"].map { try valid.folder.folder.bytes($0) } == before)
    }

    /// As a stream of windows does.
    @Test func aStateMayBeFollowedInItsFile() throws {
        let valid = try Valid()
        defer { valid.folder.remove() }
        try valid.folder.write(Array(repeating: 0.25, count: 8), [1, 2, 4], as: "h.npy")
        let before = try valid.folder.folder.bytes("h.npy")
        let state = valid.folder.path("h.npy")
        let run = try BatonProcess(valid.arguments + ["--state", state, "--state-out", state])
        #expect(run.status == 0, "\(run.error)")
        #expect(try valid.folder.folder.bytes("h.npy") != before)
    }

    @Test func theUnspoiledRunWorks() throws {
        let valid = try Valid()
        defer { valid.folder.remove() }
        let run = try BatonProcess(valid.arguments)
        #expect(run.status == 0, "\(run.error)")
        #expect(try NPYFile.header(path: valid.folder.path("y.npy")).shape == [5, 2, 4])
    }

    @Test(arguments: [
        (["--bogus"], "--bogus"), (["--clip-min", "-1"], "--clip-max"), (["--clip-max", "1"], "--clip-min"),
        (["--clip-nan"], "--clip-min"), (["--clip-min", "1", "--clip-max", "-1"], "greater"),
        (["--clip-min", "nan", "--clip-max", "1"], "--clip-min is nan"),
        (["--clip-min", "-1", "--clip-max", "1"], "lstm"),
        (["--cell-state", "c.npy"], "--state"), (["--grad-dir", "g"], "--grad-output"),
        (["--grad-output", "dy.npy"], "--grad-dir"), (["--grad-state-out", "d.npy"], "--grad-output"),
        (["--cell-state-out", "c.npy"], "lstm"), (["--axes", "CNT"], "CNT"), (["extra"], "extra"),
    ])
    func wrongFlagsAreBadUsage(flags: [String], named: String) throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments += flags
        try run.expectRefusal(2, [named, "baton run --help"])
    }

    @Test(arguments: [
        ([5, 2, 4], ["[5, 2, 4]", "(T, N, 3)"]), ([10, 3], ["[10, 3]", "three axes"]), ([0, 2, 3], ["[0, 2, 3]"]),
    ])
    func anInputOfAnotherShapeIsRefused(shape: [Int], words: [String]) throws {
        let run = try Valid()
        defer { run.folder.remove() }
        try run.folder.write(Array(repeating: 0, count: shape.reduce(1, *)), shape, as: "x.npy")
        try run.expectRefusal(1, words + ["x.npy"])
    }

    @Test func anInputOfAnotherTypeIsRefused() throws {
        let run = try Valid()
        defer { run.folder.remove() }
        try NPYFile.write(Tensor(zeros: [5, 2, 3], dtype: .float64), to: run.folder.path("x.npy"))
        try run.expectRefusal(1, ["x.npy", "float64", "float32"])
    }

    @Test(arguments: ["--state", "--grad-output"])
    func statesAndGradientsOfAnotherShapeAreRefused(flag: String) throws {
        var run = try Valid()
        defer { run.folder.remove() }
        let path = try run.folder.write(Array(repeating: 0, count: 12), [1, 3, 4], as: "wrong.npy")
        run.arguments += [flag, path]
        if flag == "--grad-output" { run.arguments += ["--grad-dir", run.folder.path("g")] }
        try run.expectRefusal(1, ["wrong.npy", "[1, 3, 4]", flag == "--state" ? "[1, 2, 4]" : "[5, 2, 4]"])
    }

    @Test(arguments: [([3, 6], "6"), ([-1, 2], "-1"), ([1, 2, 3], "[3]")])
    func lengthsThatDoNotFitAreRefused(lengths: [Int64], named: String) throws {
        var run = try Valid()
        defer { run.folder.remove() }
        try NPYFile.write(Tensor(lengths, shape: [lengths.count]), to: run.folder.path("n.npy"))
        run.arguments += ["--lengths", run.folder.path("n.npy")]
        try run.expectRefusal(1, ["n.npy", named])
    }

    @Test func lengthsOfAnotherTypeAreRefused() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments += ["--lengths", try run.folder.write([1, 2], [2], as: "n.npy")]
        try run.expectRefusal(1, ["n.npy", "float32", "int32"])
    }

    @Test func aProjectionIsForAnLSTM() throws {
        let run = try Valid()
        defer { run.folder.remove() }
        try run.folder.writeWeights(Valid.weights() + [("weight_hr_l0", Array(repeating: 0, count: 8), [2, 4])])
        try run.expectRefusal(1, ["weight_hr_l0", "gru", "lstm"])
    }

    @Test func weightsOfAnotherKindAreRefused() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments[4] = "lstm"
        try run.expectRefusal(1, ["weight_hh_l0", "[12, 4]", "(4·H, H)"])
    }

    @Test func aMissingTensorIsNamed() throws {
        let run = try Valid()
        defer { run.folder.remove() }
        try run.folder.writeWeights(Valid.weights().filter { $0.name != "bias_hh_l0" })
        try run.expectRefusal(1, ["bias_hh", "layer 0", "w.safetensors"])
    }

    @Test func aTensorOfAnotherShapeIsNamed() throws {
        let run = try Valid()
        defer { run.folder.remove() }
        let weights = Valid.weights().map { name, values, shape in
            name == "bias_ih_l0" ? (name, Array(values.prefix(8)), [8]) : (name, values, shape)
        }
        try run.folder.writeWeights(weights)
        try run.expectRefusal(1, ["bias_ih_l0", "[8]", "[12]"])
    }

    @Test func aTruncatedWeightsFileIsRefused() throws {
        let run = try Valid()
        defer { run.folder.remove() }
        let path = run.folder.path("w.safetensors")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try bytes.dropLast(7).write(to: URL(fileURLWithPath: path))
        try run.expectRefusal(1, ["w.safetensors"])
    }

    @Test func aMissingFileIsNamed() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments[6] = run.folder.path("nowhere.npy")
        try run.expectRefusal(1, ["nowhere.npy"])
    }

    @Test func aNameThatIsTooLongLeavesNoFirst() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments += ["--state-out", run.folder.path(String(repeating: "h", count: 256))]
        try run.expectRefusal(1, ["has 256 bytes, more than the 255"])
    }

    @Test func anUnwritableSecondOutputLeavesNoFirst() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments += ["--state-out", run.folder.path("no/such/folder/hn.npy")]
        try run.expectRefusal(1, ["no/such/folder/hn.npy"])
    }

    /// Under two names, or as the results of two flags: what was there stays, and nothing comes.
    @Test func twoResultsInOneFileAreRefused() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        let gradient = try run.folder.write(Array(repeating: 1, count: 40), [5, 2, 4], as: "dy.npy")
        let arguments = run.arguments
        run.arguments += ["--state-out", run.folder.path("./y.npy")]
        try run.expectRefusal(2, ["must name different files"])
        // A link to what is not there yet.
        let link = run.folder.path("link.npy")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "y.npy")
        run.arguments = arguments + ["--state-out", link]
        try run.expectRefusal(2, ["must name different files"])
        try FileManager.default.removeItem(atPath: link)
        run.arguments = arguments + ["--grad-output", gradient, "--grad-dir", run.folder.path("")]
        run.arguments[8] = run.folder.path("state.npy")
        try run.expectRefusal(2, ["Two results would go to the file", "state.npy"])
        let old = try run.folder.write([7], [1], as: "state.npy")
        try run.expectRefusal(2, ["Two results would go to the file", "state.npy"])
        #expect(try NPYFile.header(path: old).shape == [1])
    }

    @Test func aNameThatIsNoneIsRefused() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments[8] = ""
        try run.expectRefusal(2, ["--output is empty; give it a value."])
        run.arguments[8] = run.folder.path("missing") + "/"
        try run.expectRefusal(1, ["does not end in the name of a file"])
    }

    @Test(arguments: [("BATON_ISA", "sse9"), ("BATON_KERNELS", "fast")])
    func aVariableThatNamesNothingIsRefused(variable: String, value: String) throws {
        let valid = try Valid()
        defer { valid.folder.remove() }
        let run = try BatonProcess(valid.arguments, environment: [variable: value])
        #expect(run.status == 1)
        #expect(run.error.contains(variable) && run.error.contains(value), "\(run.error)")
    }

    @Test func aFolderIsNotReplacedByAFile() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        run.arguments[8] = run.folder.path("")
        try run.expectRefusal(1, ["no regular file"])
    }

    @Test func aFailureAtTheLastFileLeavesNeitherFilesNorTheNewFolder() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        let gradient = try run.folder.write(Array(repeating: 1, count: 40), [5, 2, 4], as: "dy.npy")
        // The folder for gradients can be made, but then a weights' name has no file in it.
        try run.folder.writeWeights(
            Valid.weights().map { name, values, shape in ("sub/dir." + name, values, shape) })
        run.arguments += ["--grad-output", gradient, "--grad-dir", run.folder.path("new/g")]
        try run.expectRefusal(1, ["sub/dir."])
    }

    @Test func aLinkIsFollowedAndStays() throws {
        var run = try Valid()
        defer { run.folder.remove() }
        try run.folder.write([0], [1], as: "real.npy")
        try FileManager.default.createSymbolicLink(
            atPath: run.folder.path("link.npy"), withDestinationPath: run.folder.path("real.npy"))
        run.arguments[8] = run.folder.path("link.npy")
        #expect(try BatonProcess(run.arguments).status == 0)
        #expect(try NPYFile.header(path: run.folder.path("real.npy")).shape == [5, 2, 4])
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: run.folder.path("link.npy"))
        #expect(target == run.folder.path("real.npy"))
    }

    @Test func graphsOnSeveralRanksAreRefused() throws {
        var valid = try Valid()
        defer { valid.folder.remove() }
        valid.arguments.replace(["--kind", "gru"], with: ["--symbol", "graph.json"])
        let job = [
            "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
            "OMPI_COMM_WORLD_LOCAL_RANK": "0",
        ]
        let run = try BatonProcess(valid.arguments, environment: job)
        #expect(run.status == 2)
        #expect(run.error.contains("one process"), "\(run.error)")
    }
}
