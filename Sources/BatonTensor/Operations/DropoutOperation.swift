import BatonChecks
public import BatonKernelABI
internal import BatonKernels

extension ForwardContext {
    /// y = x ⊙ M / (1 − p) in training, x itself otherwise; M is 1 with probability 1 − p, independent per element.
    ///
    /// p is the multiple of 2⁻¹⁶ below 1 that is nearest to the rate. The mask is a function of (seed, name, step, global time, global row, unit): it
    /// does not depend on how the batch or the window is cut, and the backward pass computes it again instead of storing
    /// it. A further use of a name on one tape, for the same step, times and rows, has a mask of its own; without a tape
    /// it has the same.
    ///
    /// - Parameters:
    ///   - x: (T, N, C), (N, T, C) as `layout` says, or (N, C).
    ///   - rate: the probability of zero.
    ///   - name: name of the layer, unique in the model.
    /// - Precondition: 0 ≤ rate < 1.
    public func dropout(_ x: Variable, rate: Double, name: String, layout: SequenceLayout = .TNC) -> Variable {
        require(rate >= 0 && rate < 1, "dropout: expected a rate in [0, 1), got \(rate)")
        guard isTraining, rate > 0 else { return x }
        let shape = x.shape
        require((2...3).contains(shape.count), "dropout: expected (T,N,C), (N,T,C) or (N,C), got \(shape)")
        let rowsFirst = shape.count == 3 && layout == .NTC
        let (outer, inner) = shape.count == 3 ? (shape[0], shape[1]) : (1, shape[0])
        let mask = random.dropoutMask(
            name: tape?.maskName(name, random) ?? name, rate: rate, times: rowsFirst ? inner : outer,
            rows: rowsFirst ? outer : inner,
            width: shape[shape.count - 1], rowsFirst: rowsFirst)
        let value = Tensor(uninitialized: shape, dtype: x.dtype)
        x.value.dropout(mask, into: value)
        return result("dropout", value, of: [x]) { gradient in
            let (target, adds) = x.gradientTarget()
            gradient.dropout(mask, into: target, adds: adds)
        }
    }
}

extension RandomKey {
    /// The mask of a dropout layer over T times and N rows, beginning with the key's first of both.
    ///
    /// - Parameters:
    ///   - name: name of the layer, unique in the model.
    ///   - rate: the probability of zero; p is the nearest multiple of 2⁻¹⁶ below 1.
    ///   - rowsFirst: whether memory is (N, T, width).
    public func dropoutMask(
        name: String, rate: Double, times: Int, rows: Int, width: Int, rowsFirst: Bool = false
    ) -> DropoutMask {
        let steps = min((rate * 0x1p16).rounded(), 0x1p16 - 1)
        return DropoutMask(
            key: RandomStream(seed: seed, name: name).key, step: step, firstTime: firstTime, firstRow: firstRow,
            times: times, rows: rows, width: width, rowsFirst: rowsFirst, threshold: UInt32(steps) << 16,
            scale: 1 / (1 - steps * 0x1p-16))
    }
}

extension Tensor {
    /// The elements a mask keeps, scaled, and zero for the others; written to a tensor of equal count, which may be this
    /// one, or added to it.
    public func dropout(_ mask: DropoutMask, into target: Tensor, adds: Bool = false) {
        require(
            count == mask.times * mask.rows * mask.width && target.count == count,
            "dropout: expected two tensors of \(mask.times * mask.rows * mask.width) elements, got \(shape) and \(target.shape)"
        )
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.dropout(mask, pointer(of: Scalar.self), into: target.pointer(of: Scalar.self), adds: adds)
        }
        run(dtype.differentiable(for: "dropout"))
    }
}
