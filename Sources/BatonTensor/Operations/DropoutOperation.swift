internal import BatonKernelABI
internal import BatonKernels

/// Order of the axes of a sequence: T time steps, N rows of the batch, C features.
public enum SequenceLayout: String, Sendable, Hashable, CaseIterable, Codable {
    case TNC, NTC
}

extension ForwardContext {
    /// y = x ⊙ M / (1 − p) in training, x itself otherwise; M is 1 with probability 1 − p, independent per element.
    ///
    /// Probabilities are multiples of 2⁻¹⁶. The mask is a function of (seed, name, step, global time, global row, unit): it does not depend on how the
    /// batch or the window is cut, and the backward pass computes it again instead of storing it.
    ///
    /// - Parameters:
    ///   - x: (T, N, C), (N, T, C) as `layout` says, or (N, C).
    ///   - rate: p, the probability of zero.
    ///   - name: name of the layer, unique in the model.
    /// - Precondition: 0 ≤ p < 1.
    public func dropout(_ x: Variable, rate: Double, name: String, layout: SequenceLayout = .TNC) -> Variable {
        precondition(rate >= 0 && rate < 1, "dropout: expected a rate in [0, 1), got \(rate)")
        guard isTraining, rate > 0 else { return x }
        let shape = x.shape
        precondition((2...3).contains(shape.count), "dropout: expected (T,N,C), (N,T,C) or (N,C), got \(shape)")
        let rowsFirst = shape.count == 3 && layout == .NTC
        let (outer, inner) = shape.count == 3 ? (shape[0], shape[1]) : (1, shape[0])
        let mask = DropoutMask(
            key: RandomStream(seed: random.seed, name: name).key, step: random.step, firstTime: random.firstTime,
            firstRow: random.firstRow, times: rowsFirst ? inner : outer, rows: rowsFirst ? outer : inner,
            width: shape[shape.count - 1], rowsFirst: rowsFirst, threshold: UInt32(rate * 0x1p16) << 16,
            scale: 1 / (1 - rate))
        let value = Tensor(uninitialized: shape, dtype: x.dtype)
        func apply<Scalar: DifferentiableScalar>(_: Scalar.Type, _ source: Tensor, _ target: Tensor, adds: Bool) {
            Scalar.dropout(
                mask, source.pointer(of: Scalar.self), into: target.pointer(of: Scalar.self), adds: adds)
        }
        let scalar = x.dtype.differentiable(for: "dropout")
        apply(scalar, x.value, value, adds: false)
        return result("dropout", value, of: [x]) { gradient in
            let (target, adds) = x.gradientTarget()
            apply(scalar, gradient, target, adds: adds)
        }
    }
}
