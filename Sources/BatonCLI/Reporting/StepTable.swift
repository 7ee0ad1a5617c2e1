/// A row of a file with one row per step.
protocol StepRow {
    /// What a row is, for messages.
    static var kind: String { get }
    /// Names of the columns, the step first.
    static var header: String { get }
    /// The row as text.
    var text: String { get }
    /// Reads a row back; nil when the text is none.
    init?(text: String)
}

/// A CSV file of such rows.
struct StepTable<Row: StepRow>: ~Copyable {
    private let log: StepLog

    /// Starts the file anew (`resumedStep` nil), or keeps the rows up to and including a step and goes on after it.
    ///
    /// - Throws: `CommandFailure` or `FormatError` when there is another kind of file, or none can be written.
    init(path: String, resumedStep: Int? = nil) throws {
        log = try StepLog(path: path, header: Row.header, resumedStep: resumedStep)
    }

    /// Writes a row.
    func append(_ row: Row) throws(CommandFailure) { try log.append(row.text) }

    /// Flushes to the disk; call it before a checkpoint of the same step is written.
    func flush() throws(CommandFailure) { try log.flush() }

    /// Whether the file is still the one under its name.
    var isInPlace: Bool { log.isInPlace }

    /// The rows of a file, none when there is no file.
    static func rows(path: String) throws -> [Row] {
        try StepLog.rows(path: path, header: Row.header).map { _, text in
            guard let row = Row(text: text) else {
                throw CommandFailure("\(path): '\(text)' is not \(Row.kind); restore the file or move it away.")
            }
            return row
        }
    }
}
