import Baton

/// What one run leaves behind to be compared: one line for every figure, in the order in which a step makes them. The
/// first line of a record names cell, layout and schedule.
struct LayoutRecord: Equatable {
    /// `lstm dp=2,pp=2 wavefront`.
    var title: String
    /// `STEP WHAT NAME BITS`.
    var lines: [String] = []

    /// The first word of the title.
    var cell: String { String(title.prefix { $0 != " " }) }

    /// Adds a step of a trainer.
    mutating func add(step: Int, _ evidence: StepEvidence, names: [String]) {
        for (leaf, totals) in evidence.leaves.enumerated() {
            lines.append("\(step) loss-of-leaf \(leaf) \(hexadecimal(totals.lossSum.bitPattern))")
        }
        for (name, bits) in zip(names, evidence.gradientSquares) {
            lines.append("\(step) gradient \(name) \(hexadecimal(bits))")
        }
        for (name, digest) in zip(names, evidence.parameterDigests) {
            lines.append("\(step) parameter \(name) \(hexadecimal(digest))")
        }
    }

    /// The first figure in which a record differs from a reference, as a phrase; nil if none does.
    func difference(from reference: LayoutRecord) -> String? {
        for (own, expected) in zip(lines, reference.lines) where own != expected {
            let words = own.split(separator: " "), wanted = expected.split(separator: " ")
            guard words.count == 4, wanted.count == 4, words[..<3] == wanted[..<3] else {
                return "an unreadable record: '\(own)' where '\(expected)' is expected"
            }
            let place = words[1] == "loss-of-leaf" ? "loss of leaf \(words[2])" : "\(words[1]) \(words[2])"
            return "step \(words[0]), \(place): \(words[3]) where one rank has \(wanted[3])"
        }
        return lines.count == reference.lines.count
            ? nil : "a record of \(lines.count) figures where one rank has \(reference.lines.count)"
    }

    /// The records of a text, each with a line `# title` before its figures.
    static func read(_ text: String) -> [LayoutRecord] {
        var records: [LayoutRecord] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# ") {
                records.append(LayoutRecord(title: String(line.dropFirst(2))))
            } else if !records.isEmpty {
                records[records.count - 1].lines.append(String(line))
            }
        }
        return records
    }

    /// The text that `read` reads.
    var text: String { (["# " + title] + lines).joined(separator: "\n") + "\n" }
}
