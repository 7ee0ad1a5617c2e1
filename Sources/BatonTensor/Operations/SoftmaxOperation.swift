internal import BatonKernels
internal import Glibc

extension ForwardContext {
    /// p_v = e^{x_v} / Σ_u e^{x_u} over the last axis. dX = p ⊙ (dY − Σ_v dY_v·p_v). Sums in f64.
    public func softmax(_ x: Variable) -> Variable {
        let probabilities = Self.probabilities(x.value, isLogarithm: false)
        return result("softmax", probabilities, of: [x]) { gradient in
            x.consumeGradient(
                Self.perRow(probabilities, gradient) { p, above in
                    let mean = zip(p, above).reduce(0) { $0 + $1.0 * $1.1 }
                    return zip(p, above).map { $0 * ($1 - mean) }
                })
        }
    }

    /// x_v − log Σ_u e^{x_u} over the last axis. dX = dY − e^y · Σ_v dY_v. Sums in f64.
    public func logSoftmax(_ x: Variable) -> Variable {
        let logarithms = Self.probabilities(x.value, isLogarithm: true)
        return result("logSoftmax", logarithms, of: [x]) { gradient in
            x.consumeGradient(
                Self.perRow(logarithms, gradient) { y, above in
                    let total = above.reduce(0, +)
                    return zip(y, above).map { $1 - exp($0) * total }
                })
        }
    }

    private static func probabilities(_ x: Tensor, isLogarithm: Bool) -> Tensor {
        perRow(x, x) { row, _ in
            let largest = row.max() ?? 0
            let exponentials = row.map { exp($0 - largest) }
            let total = exponentials.reduce(0, +)
            return isLogarithm ? row.map { $0 - largest - log(total) } : exponentials.map { $0 / total }
        }
    }

    /// A function of every row of two tensors, computed in f64 and rounded.
    private static func perRow(_ a: Tensor, _ b: Tensor, _ function: ([Double], [Double]) -> [Double]) -> Tensor {
        guard let width = a.shape.last, width > 0 else {
            fatalError("softmax: expected (…,V) with V ≥ 1, got \(a.shape)")
        }
        let (first, second) = (a.doubles(), b.doubles())
        let rows = stride(from: 0, to: first.count, by: width).flatMap { start in
            function(Array(first[start..<start + width]), Array(second[start..<start + width]))
        }
        return Tensor(doubles: rows, shape: a.shape, dtype: a.dtype)
    }
}
