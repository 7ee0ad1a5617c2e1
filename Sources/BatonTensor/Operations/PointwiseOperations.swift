import BatonChecks
internal import BatonKernels
internal import Glibc

extension ForwardContext {
    /// a − b, equal shapes. dA = dY, dB = −dY.
    public func subtract(_ a: Variable, _ b: Variable) -> Variable { add(a, scale(b, by: -1)) }

    /// scale · x + shift; `affine(z, scale: -1, shift: 1)` is 1 − z. dX = scale · dY.
    public func affine(_ x: Variable, scale: Double, shift: Double) -> Variable {
        let value = Tensor(uninitialized: x.shape, dtype: x.dtype)
        switch x.dtype {
        case .float32: Pointwise.map(x.value, into: value) { (x: Float) in Float(scale) * x + Float(shift) }
        default: Pointwise.map(x.value, into: value) { (x: Double) in scale * x + shift }
        }
        return result("affine", value, of: [x]) { gradient in x.addGradient(gradient, scaledBy: scale) }
    }

    /// x / (1 + |x|). Source: Gluon's activation `softsign`.
    public func softsign(_ x: Variable) -> Variable {
        pointwise(
            x, "softsign", { $0 / (1 + abs($0)) }, { $0 / (1 + abs($0)) },
            derivative: { x, _ in 1 / (1 + abs(x)) / (1 + abs(x)) },
            { x, _ in 1 / (1 + abs(x)) / (1 + abs(x)) })
    }

    /// log(1 + eˣ), without overflow: max(x, 0) + log(1 + e^−|x|). Source: Gluon's activation `softrelu`.
    public func softrelu(_ x: Variable) -> Variable {
        pointwise(
            x, "softrelu", { max($0, 0) + log1pf(expf(-abs($0))) }, { max($0, 0) + log1p(exp(-abs($0))) },
            derivative: { x, _ in 1 / (1 + expf(-x)) }, { x, _ in 1 / (1 + exp(-x)) })
    }

    /// x where x > 0, slope · x elsewhere; the derivative at 0 is the slope. Source: Gluon `nn.LeakyReLU`.
    public func leakyRelu(_ x: Variable, slope: Double) -> Variable {
        pointwise(
            x, "leakyRelu", { $0 > 0 ? $0 : Float(slope) * $0 }, { $0 > 0 ? $0 : slope * $0 },
            derivative: { x, _ in x > 0 ? 1 : Float(slope) }, { x, _ in x > 0 ? 1 : slope })
    }

    /// Any function of one element, with its derivative as a function of x and y = f(x). Computed in f64 and rounded.
    ///
    /// For functions the library lacks; a closure call per element costs some ten nanoseconds.
    public func elementWise(
        _ x: Variable, name: String, _ function: @escaping (Double) -> Double,
        derivative: @escaping (_ x: Double, _ y: Double) -> Double
    ) -> Variable {
        pointwise(
            x, name, { Float(function(Double($0))) }, function,
            derivative: { Float(derivative(Double($0), Double($1))) }, derivative)
    }

    private func pointwise(
        _ x: Variable, _ name: String, _ single: (Float) -> Float, _ double: (Double) -> Double,
        derivative singleDerivative: @escaping (Float, Float) -> Float,
        _ doubleDerivative: @escaping (Double, Double) -> Double
    ) -> Variable {
        require(x.dtype.isFloatingPoint, "\(name): expected float32 or float64, got \(x.dtype.rawValue)")
        let value = Tensor(uninitialized: x.shape, dtype: x.dtype)
        switch x.dtype {
        case .float32: Pointwise.map(x.value, into: value, single)
        default: Pointwise.map(x.value, into: value, double)
        }
        return result(name, value, of: [x]) { gradient in
            let share = Tensor(uninitialized: x.shape, dtype: x.dtype)
            switch x.dtype {
            case .float32: Pointwise.chain(x.value, value, gradient, into: share, singleDerivative)
            default: Pointwise.chain(x.value, value, gradient, into: share, doubleDerivative)
            }
            x.consumeGradient(share)
        }
    }
}

/// Loops over the elements of a concrete type, so that the compiler specialises them.
enum Pointwise {
    @inline(__always)
    static func map<Scalar: DifferentiableScalar>(
        _ x: Tensor, into out: Tensor, _ function: (Scalar) -> Scalar
    ) {
        let (source, target) = (x.pointer(of: Scalar.self), out.pointer(of: Scalar.self))
        for index in 0..<out.count { target[index] = function(source[index]) }
    }

    /// out = dy · derivative(x, y).
    @inline(__always)
    static func chain<Scalar: DifferentiableScalar>(
        _ x: Tensor, _ y: Tensor, _ gradient: Tensor, into out: Tensor, _ derivative: (Scalar, Scalar) -> Scalar
    ) {
        let (source, result) = (x.pointer(of: Scalar.self), y.pointer(of: Scalar.self))
        let (above, target) = (gradient.pointer(of: Scalar.self), out.pointer(of: Scalar.self))
        for index in 0..<out.count { target[index] = above[index] * derivative(source[index], result[index]) }
    }
}
