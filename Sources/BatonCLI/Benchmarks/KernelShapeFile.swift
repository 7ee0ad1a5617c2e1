import Baton
import BatonChecks

/// Shapes out of a text: one per line, `cell T N I H [layers=L] [bidirectional]`; `#` starts a comment, empty lines are
/// passed over. A stream that goes on has one direction: the other would begin at its end.
enum KernelShapeFile {
    /// The largest size of one axis.
    static let axisLimit = 1_000_000
    /// The largest number of layers.
    static let layerLimit = 1000
    /// What a line looks like, for help and messages.
    static let form = streamForm + " [bidirectional]"
    /// The same of a stream.
    static let streamForm = "cell T N I H [layers=L]"

    /// The shapes of a file.
    ///
    /// - Parameter streams: whether they are those of streams.
    /// - Throws: `DataError` when the file cannot be read, `CommandFailure` naming file and line otherwise.
    static func read(path: String, streams: Bool = false) throws -> [KernelShape] {
        try parse(try TextSource.read(paths: [path]), name: path, streams: streams)
    }

    /// The line that `parse` reads as this shape.
    static func line(_ shape: KernelShape) -> String {
        var words = [shape.cell.rawValue] + [shape.steps, shape.batch, shape.input, shape.hidden].map { "\($0)" }
        if shape.layers > 1 { words.append("layers=\(shape.layers)") }
        if shape.bidirectional { words.append("bidirectional") }
        return words.joined(separator: " ")
    }

    /// The shapes of a text; `name` stands for it in messages.
    static func parse(_ text: String, name: String, streams: Bool = false) throws(CommandFailure) -> [KernelShape] {
        let form = streams ? streamForm : form
        var shapes: [KernelShape] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { continue }
            let place = "\(name), line \(index + 1)"
            let shape: KernelShape
            do throws(CommandFailure) {
                shape = try Self.shape(words, streams: streams)
            } catch {
                let cells = RecurrentKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw CommandFailure(
                    "\(place): \(error.message); expected '\(form)' with a cell of \(cells) and whole numbers, for instance 'lstm 50 32 512 512'."
                )
            }
            do throws(CommandFailure) { try shape.checkMemory() } catch {
                throw CommandFailure("\(place): \(error.message)")
            }
            shapes.append(shape)
        }
        guard !shapes.isEmpty else {
            throw CommandFailure(
                "\(name) names no shape; expected lines '\(form)', for instance 'lstm 50 32 512 512'.")
        }
        return shapes
    }

    private static func shape(_ words: [Substring], streams: Bool) throws(CommandFailure) -> KernelShape {
        guard words.count >= 5 else {
            throw CommandFailure("it has \(counted(words.count, "word")) where at least 5 belong")
        }
        guard let cell = RecurrentKind(rawValue: String(words[0])) else {
            throw CommandFailure("'\(printable(String(words[0])))' is no cell")
        }
        var sizes: [Int] = []
        for (axis, word) in zip(["T", "N", "I", "H"], words[1..<5]) {
            sizes.append(try number(word, name: axis, limit: axisLimit))
        }
        var shape = KernelShape(cell: cell, steps: sizes[0], batch: sizes[1], input: sizes[2], hidden: sizes[3])
        var seen: Set<Substring> = []
        for word in words[5...] {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard seen.insert(parts[0]).inserted else {
                throw CommandFailure("'\(printable(String(parts[0])))' stands there twice")
            }
            switch (parts[0], parts.count) {
            case ("layers", 2): shape.layers = try number(parts[1], name: "layers", limit: layerLimit)
            case ("bidirectional", 1) where !streams: shape.bidirectional = true
            case ("bidirectional", 1):
                throw CommandFailure("the reverse direction of a bidirectional stack starts at the end of a stream")
            default:
                throw CommandFailure(
                    "'\(printable(String(word)))' is \(streams ? "not layers=L" : "neither layers=L nor bidirectional")"
                )
            }
        }
        return shape
    }

    private static func number(_ word: Substring, name: String, limit: Int) throws(CommandFailure) -> Int {
        guard let size = Int(word), 1...limit ~= size else {
            throw CommandFailure("\(name) is '\(printable(String(word)))' where 1 to \(limit) is possible")
        }
        return size
    }
}
