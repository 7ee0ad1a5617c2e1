/// The loss on the validation part of the data after a step: a row of `validation.csv`.
struct ValidationRow: Equatable {
    /// Training steps done.
    var step: Int
    /// Mean loss per token, in nats.
    var loss: Double
    /// Tokens the mean is over.
    var tokens: Int
}

extension ValidationRow {
    /// Columns of the file; the bits are hexadecimal, 16 digits, of an IEEE 754 binary64.
    static let header = "step,loss,loss_bits,tokens"

    /// The row as text.
    var text: String { "\(step),\(loss),\(hexadecimal(loss.bitPattern)),\(tokens)" }

    /// Reads a row back; nil when the text is none.
    init?(text: String) {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 4, let step = Int(fields[0]), let bits = UInt64(fields[2], radix: 16),
            let tokens = Int(fields[3])
        else { return nil }
        self.init(step: step, loss: Double(bitPattern: bits), tokens: tokens)
    }
}

/// The file `validation.csv` of a run: one row per evaluation during training.
struct ValidationFile: ~Copyable {
    private let log: StepLog

    /// Starts the file anew (`resumedStep` nil), or keeps the rows up to and including a step and goes on after it.
    ///
    /// - Throws: `CommandFailure` or `FormatError` when there is another kind of file, or none can be written.
    init(path: String, resumedStep: Int? = nil) throws {
        log = try StepLog(path: path, header: ValidationRow.header, resumedStep: resumedStep)
    }

    /// Writes the row of an evaluation.
    func append(_ row: ValidationRow) throws(CommandFailure) { try log.append(row.text) }

    /// Flushes to the disk; call it before a checkpoint of the same step is written.
    func flush() throws(CommandFailure) { try log.flush() }

    /// The rows of a file, none when there is no file.
    static func rows(path: String) throws -> [ValidationRow] {
        try StepLog.rows(path: path, header: ValidationRow.header).map { _, text in
            guard let row = ValidationRow(text: text) else {
                throw CommandFailure("\(path): '\(text)' is not an evaluation; restore the file or move it away.")
            }
            return row
        }
    }
}
