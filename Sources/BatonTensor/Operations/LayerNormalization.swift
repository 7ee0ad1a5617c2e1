import BatonChecks
import BatonKernelABI
internal import BatonKernels

extension ForwardContext {
    /// y = γ ⊙ (x − μ)/√(σ² + ε) + β with mean μ and variance σ² over the last axis (divided by C).
    ///
    /// The gradients of γ and β follow the leaf rule over all uses on the tape, see `linear`.
    ///
    /// | Argument | Shape |
    /// |---|---|
    /// | x | (T, N, C) or (N, C), rows as the context's leaf plan |
    /// | gain γ, bias β | (C) |
    /// | returns | as x |
    ///
    /// Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450.
    public func layerNorm(_ x: Variable, gain: Parameter, bias: Parameter, epsilon: Double = 1e-5) -> Variable {
        let width = x.shape.last ?? 0
        require(
            (2...3).contains(x.shape.count) && gain.shape == [width] && bias.shape == [width] && gain.dtype == x.dtype
                && x.shape[x.shape.count - 2] == leaves.rowCount,
            "layerNorm: expected (T,\(leaves.rowCount),C) or (\(leaves.rowCount),C) with \(gain.name) and \(bias.name) of (C), got \(x.shape), \(gain.shape) and \(bias.shape)"
        )
        let value = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let normal = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let inverse: [Double]
        switch x.dtype {
        case .float32:
            inverse = Self.normalize(Float.self, x.value, gain.data, bias.data, epsilon, into: value, normal)
        default: inverse = Self.normalize(Double.self, x.value, gain.data, bias.data, epsilon, into: value, normal)
        }
        let parameters = [gain, bias].filter { $0.gradientRequirement != .null }
        let recorded = records([x], [gain, bias])
        let output = Variable(value, requiresGradient: recorded)
        guard recorded, let tape else { return output }
        let (gainGroup, biasGroup) = (rowSumGroup(gain, tape), rowSumGroup(bias, tape))
        tape.record(
            TapeNode(
                name: "layerNorm \(gain.name)", outputs: [output], parameters: parameters,
                backwardData: { _ in
                    guard x.requiresGradient, let gradient = output.gradient else { return }
                    let share = Tensor(uninitialized: x.shape, dtype: x.dtype)
                    switch x.dtype {
                    case .float32: Self.back(Float.self, gradient, gain.data, normal, inverse, into: share)
                    default: Self.back(Double.self, gradient, gain.data, normal, inverse, into: share)
                    }
                    x.consumeGradient(share)
                },
                backwardWeights: { _ in
                    guard let gradient = output.gradient else { return }
                    gainGroup?.add(outputGradient: gradient, factor: normal)
                    biasGroup?.add(outputGradient: gradient, factor: nil)
                },
                completion: { hook in
                    gainGroup?.completeUse(hook)
                    biasGroup?.completeUse(hook)
                }))
        return output
    }

    /// Writes y and the normalised x; gives 1/√(σ² + ε) of every row. Sums in f64.
    private static func normalize<Scalar: DifferentiableScalar>(
        _: Scalar.Type, _ x: Tensor, _ gain: Tensor, _ bias: Tensor, _ epsilon: Double, into value: Tensor,
        _ normal: Tensor
    ) -> [Double] {
        let width = gain.count
        let (scale, shift) = (gain.pointer(of: Scalar.self), bias.pointer(of: Scalar.self))
        return (0..<(width == 0 ? 0 : x.count / width)).map { row in
            let source = x.pointer(of: Scalar.self) + row * width
            let (out, unit) = (
                value.pointer(of: Scalar.self) + row * width, normal.pointer(of: Scalar.self) + row * width
            )
            var mean = 0.0
            for index in 0..<width { mean += Double(source[index]) }
            mean /= Double(width)
            var variance = 0.0
            for index in 0..<width {
                let distance = Double(source[index]) - mean
                variance += distance * distance
            }
            let inverse = 1 / (variance / Double(width) + epsilon).squareRoot()
            for index in 0..<width {
                unit[index] = Scalar((Double(source[index]) - mean) * inverse)
                out[index] = scale[index] * unit[index] + shift[index]
            }
            return inverse
        }
    }

    /// dx = (v − mean v − x̂·mean(v⊙x̂))/√(σ² + ε) with v = γ ⊙ dy.
    private static func back<Scalar: DifferentiableScalar>(
        _: Scalar.Type, _ gradient: Tensor, _ gain: Tensor, _ normal: Tensor, _ inverse: [Double], into out: Tensor
    ) {
        let width = gain.count
        let scale = gain.pointer(of: Scalar.self)
        for (row, inverse) in inverse.enumerated() {
            let above = gradient.pointer(of: Scalar.self) + row * width
            let (unit, target) = (
                normal.pointer(of: Scalar.self) + row * width, out.pointer(of: Scalar.self) + row * width
            )
            var (sum, product) = (0.0, 0.0)
            for index in 0..<width {
                let share = Double(scale[index] * above[index])
                sum += share
                product += share * Double(unit[index])
            }
            for index in 0..<width {
                let share = Double(scale[index] * above[index])
                target[index] = Scalar(
                    inverse * (share - sum / Double(width) - Double(unit[index]) * product / Double(width)))
            }
        }
    }
}
