/// What a command has to say: members for a program, in snake case as `--json` prints them, and lines for a person.
protocol CommandReport: Encodable {
    var text: String { get }
}

extension Console {
    /// Prints a report, from rank 0 only.
    static func print(_ report: some CommandReport, json: Bool) throws {
        print(json ? try jsonText(report) : report.text)
    }
}
