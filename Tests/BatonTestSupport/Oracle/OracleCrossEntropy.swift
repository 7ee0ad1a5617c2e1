internal import Glibc

/// Softmax cross-entropy of rows of logits against class numbers, in nats: log Σ eᶻ − z[label].
public enum OracleCrossEntropy {
    /// One loss per row of `logits` (rows, classes).
    public static func losses(_ logits: [Double], labels: [Int]) -> [Double] {
        let classes = logits.count / max(1, labels.count)
        return labels.enumerated().map { row, label in
            let z = logits[row * classes..<(row + 1) * classes]
            let top = z.max()!
            return log(z.reduce(0) { $0 + exp($1 - top) }) + top - z[row * classes + label]
        }
    }

    /// Gradient of Σ weightᵣ·lossᵣ with respect to the logits: weightᵣ·(softmax − one-hot).
    public static func gradient(_ logits: [Double], labels: [Int], weights: [Double]) -> [Double] {
        let classes = logits.count / max(1, labels.count)
        return labels.enumerated().flatMap { row, label in
            let z = logits[row * classes..<(row + 1) * classes]
            let top = z.max()!
            let total = z.reduce(0) { $0 + exp($1 - top) }
            return z.enumerated().map { index, value in
                weights[row] * (exp(value - top) / total - (index == label ? 1 : 0))
            }
        }
    }
}
