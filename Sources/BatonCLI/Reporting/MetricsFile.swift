/// What one training step measured: a row of `metrics.csv`.
struct MetricsRow: Equatable {
    /// Number of the step, from 1.
    var step: Int
    /// Mean loss per token over all ranks, in nats.
    var loss: Double
    /// Euclidean norm of the gradient of all parameters, before clipping.
    var gradientNorm: Double
    /// Hash of all parameters after the step.
    var parameterHash: UInt64
    /// Tokens of all ranks in this step.
    var tokens: Int
    /// Lanes this rank worked on.
    var rowsThisRank: Int
    /// Wall time of the step.
    var seconds: Double
}

extension MetricsRow: StepRow {
    static let kind = "a row of metrics"
    /// Columns of the file; bits and hash are hexadecimal, 16 digits, the bits those of an IEEE 754 binary64.
    static let header = "step,loss,loss_bits,grad_norm,grad_norm_bits,param_hash,tokens,rows_this_rank,seconds"

    /// The row as text. Decimal numbers have as many digits as it takes to read the same number back.
    var text: String {
        let fields: [String] = [
            "\(step)", "\(loss)", hexadecimal(loss.bitPattern), "\(gradientNorm)", hexadecimal(gradientNorm.bitPattern),
            hexadecimal(parameterHash), "\(tokens)", "\(rowsThisRank)", "\(seconds)",
        ]
        return fields.joined(separator: ",")
    }

    /// Reads a row back; nil when the text is none.
    init?(text: String) {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 9, let step = Int(fields[0]), let lossBits = UInt64(fields[2], radix: 16),
            let normBits = UInt64(fields[4], radix: 16), let hash = UInt64(fields[5], radix: 16),
            let tokens = Int(fields[6]), let rows = Int(fields[7]), let seconds = Double(fields[8])
        else { return nil }
        self.init(
            step: step, loss: Double(bitPattern: lossBits), gradientNorm: Double(bitPattern: normBits),
            parameterHash: hash, tokens: tokens, rowsThisRank: rows, seconds: seconds)
    }
}

/// The file `metrics.csv` of a run: one row per training step.
typealias MetricsFile = StepTable<MetricsRow>
