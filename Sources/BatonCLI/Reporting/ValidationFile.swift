/// The loss on the validation part of the data after a step: a row of `validation.csv`.
struct ValidationRow: Equatable {
    /// Training steps done.
    var step: Int
    /// Mean loss per token, in nats.
    var loss: Double
    /// Tokens the mean is over.
    var tokens: Int
}

extension ValidationRow: StepRow {
    static let kind = "an evaluation"
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
typealias ValidationFile = StepTable<ValidationRow>
