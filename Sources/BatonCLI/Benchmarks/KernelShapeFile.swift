import Baton

/// Shapes out of a text: one per line, `cell T N I H`; `#` starts a comment, empty lines are passed over.
enum KernelShapeFile {
    /// The largest size of one axis.
    static let axisLimit = 1_000_000
    /// The largest working set, 16 GiB.
    static let floatLimit = 0x1p32

    /// The shapes of a file.
    ///
    /// - Throws: `DataError` when the file cannot be read, `CommandFailure` naming file and line otherwise.
    static func read(path: String) throws -> [KernelShape] {
        try parse(try TextSource.read(paths: [path]), name: path)
    }

    /// The shapes of a text; `name` stands for it in messages.
    static func parse(_ text: String, name: String) throws(CommandFailure) -> [KernelShape] {
        var shapes: [KernelShape] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { continue }
            do throws(CommandFailure) {
                shapes.append(try shape(words))
            } catch {
                let cells = RecurrentKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw CommandFailure(
                    "\(name), line \(index + 1): \(error.message); expected 'cell T N I H' with a cell of \(cells) and four whole numbers, for instance 'lstm 50 32 512 512'."
                )
            }
        }
        guard !shapes.isEmpty else {
            throw CommandFailure(
                "\(name) names no shape; expected lines 'cell T N I H', for instance 'lstm 50 32 512 512'.")
        }
        return shapes
    }

    private static func shape(_ words: [Substring]) throws(CommandFailure) -> KernelShape {
        guard words.count == 5 else {
            throw CommandFailure("it has \(words.count) word\(words.count == 1 ? "" : "s") where 5 belong")
        }
        guard let cell = RecurrentKind(rawValue: String(words[0])) else {
            throw CommandFailure("'\(words[0])' is no cell")
        }
        var sizes: [Int] = []
        for (axis, word) in zip(["T", "N", "I", "H"], words.dropFirst()) {
            guard let size = Int(word), 1...axisLimit ~= size else {
                throw CommandFailure("\(axis) is '\(word)' where 1 to \(axisLimit) is possible")
            }
            sizes.append(size)
        }
        let shape = KernelShape(cell: cell, steps: sizes[0], batch: sizes[1], input: sizes[2], hidden: sizes[3])
        guard shape.floatCount <= floatLimit else {
            throw CommandFailure("the shape needs about \(Int(shape.floatCount / 0x1p28)) GiB where 16 are the limit")
        }
        return shape
    }
}
