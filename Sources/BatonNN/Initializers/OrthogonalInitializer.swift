import BatonChecks
public import BatonTensor

/// Orthonormal rows or columns (whichever are fewer), times `scale`.
///
/// A (n₀ × Π rest) is drawn from U(−1, 1) or N(0, 1) and replaced by the orthonormal factor of its polar
/// decomposition's kind: Gram–Schmidt twice over the shorter side. Gluon takes a factor of the singular value
/// decomposition instead; both are uniformly rotated orthonormal sets, and no bit parity of random numbers exists.
/// Source: Saxe et al. 2014; Gluon `init.Orthogonal` (parity 3.4): 1.414, not √2.
public struct OrthogonalInitializer: Initializer {
    /// What the matrix is drawn from.
    public enum Distribution: String, Sendable, CaseIterable, Codable { case uniform, normal }

    /// Norm of the rows or columns.
    public var scale: Double
    /// What the matrix is drawn from.
    public var distribution: Distribution

    /// Gluon's defaults.
    public init(scale: Double = 1.414, distribution: Distribution = .uniform) {
        self.scale = scale
        self.distribution = distribution
    }

    /// - Precondition: at least two dimensions.
    public func fill(_ tensor: Tensor, stream: RandomStream) {
        require(tensor.rank >= 2, "OrthogonalInitializer: expected at least two dimensions, got \(tensor.shape)")
        let rows = tensor.shape[0]
        let columns = tensor.count / max(rows, 1)
        let draft = Tensor(uninitialized: [rows, columns], dtype: .float64)
        switch distribution {
        case .uniform: draft.fillUniform(-1...1, stream: stream)
        case .normal: draft.fillNormal(standardDeviation: 1, stream: stream)
        }
        let elements = draft.elements(as: Double.self)
        let wide = rows <= columns
        let (count, length) = wide ? (rows, columns) : (columns, rows)
        var vectors = (0..<count).map { index in
            (0..<length).map { wide ? elements[index * columns + $0] : elements[$0 * columns + index] }
        }
        for index in 0..<count {
            // The second pass removes what rounding left of the first.
            for _ in 0..<2 {
                for other in 0..<index {
                    let overlap = zip(vectors[index], vectors[other]).reduce(0) { $0 + $1.0 * $1.1 }
                    for k in 0..<length { vectors[index][k] -= overlap * vectors[other][k] }
                }
                let norm = vectors[index].reduce(0) { $0 + $1 * $1 }.squareRoot()
                for k in 0..<length { vectors[index][k] /= norm }
            }
        }
        let values = (0..<tensor.count).map { position -> Double in
            let (row, column) = (position / columns, position % columns)
            return scale * (wide ? vectors[row][column] : vectors[column][row])
        }
        tensor.copyElements(from: Tensor(doubles: values, shape: tensor.shape, dtype: tensor.dtype))
    }
}
