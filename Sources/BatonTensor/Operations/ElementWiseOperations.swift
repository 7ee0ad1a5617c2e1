import BatonChecks
public import BatonKernels

extension ForwardContext {
    /// a + b, equal shapes. dA = dY, dB = dY.
    public func add(_ a: Variable, _ b: Variable) -> Variable {
        requireEqual("add", a, b)
        let value = Tensor(uninitialized: a.shape, dtype: a.dtype)
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.addElements(
                a.value.pointer(of: Scalar.self), b.value.pointer(of: Scalar.self),
                into: value.pointer(of: Scalar.self),
                count: value.count)
        }
        run(a.dtype.differentiable(for: "add"))
        return result("add", value, of: [a, b]) { gradient in
            for input in [a, b] where input.requiresGradient { input.addGradient(gradient, scaledBy: 1) }
        }
    }

    /// a ⊙ b, equal shapes. dA = dY ⊙ B, dB = dY ⊙ A.
    public func multiply(_ a: Variable, _ b: Variable) -> Variable {
        requireEqual("multiply", a, b)
        let value = Tensor(uninitialized: a.shape, dtype: a.dtype)
        Self.multiply(a.value, b.value, into: value, adds: false)
        return result("multiply", value, of: [a, b]) { gradient in
            for (input, factor) in [(a, b), (b, a)] where input.requiresGradient {
                let (target, adds) = input.gradientTarget()
                Self.multiply(gradient, factor.value, into: target, adds: adds)
            }
        }
    }

    /// factor · x. dX = factor · dY.
    public func scale(_ x: Variable, by factor: Double) -> Variable {
        let value = Tensor(uninitialized: x.shape, dtype: x.dtype)
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.scale(
                x.value.pointer(of: Scalar.self), by: Scalar(factor), into: value.pointer(of: Scalar.self),
                count: value.count, adds: false)
        }
        run(x.dtype.differentiable(for: "scale"))
        return result("scale", value, of: [x]) { gradient in x.addGradient(gradient, scaledBy: factor) }
    }

    /// φ(x), element by element. dX = dY ⊙ φ′, from the value (see `Activation`).
    public func activate(_ x: Variable, _ activation: Activation) -> Variable {
        let value = Tensor(uninitialized: x.shape, dtype: x.dtype)
        func forward<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.activate(
                activation, x.value.pointer(of: Scalar.self), into: value.pointer(of: Scalar.self), count: value.count)
        }
        forward(x.dtype.differentiable(for: activation.rawValue))
        return result(activation.rawValue, value, of: [x]) { gradient in
            let (target, adds) = x.gradientTarget()
            func backward<Scalar: DifferentiableScalar>(_: Scalar.Type) {
                Scalar.activationGradient(
                    activation, value: value.pointer(of: Scalar.self), gradient: gradient.pointer(of: Scalar.self),
                    into: target.pointer(of: Scalar.self), count: value.count, adds: adds)
            }
            backward(x.dtype.differentiable(for: activation.rawValue))
        }
    }

    /// tanh x.
    public func tanh(_ x: Variable) -> Variable { activate(x, .tanh) }
    /// max(x, 0).
    public func relu(_ x: Variable) -> Variable { activate(x, .relu) }
    /// 1 / (1 + e⁻ˣ).
    public func sigmoid(_ x: Variable) -> Variable { activate(x, .sigmoid) }

    static func multiply(_ a: Tensor, _ b: Tensor, into out: Tensor, adds: Bool) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.multiply(
                a.pointer(of: Scalar.self), b.pointer(of: Scalar.self), into: out.pointer(of: Scalar.self),
                count: out.count, adds: adds)
        }
        run(a.dtype.differentiable(for: "multiply"))
    }

    private func requireEqual(_ operation: String, _ a: Variable, _ b: Variable) {
        require(
            a.shape == b.shape && a.dtype == b.dtype,
            "\(operation): expected \(a.shape) \(a.dtype.rawValue) on both sides, got \(b.shape) \(b.dtype.rawValue)")
    }
}

extension Variable {
    /// Adds factor · contribution to the gradient; the contribution stays the caller's.
    func addGradient(_ contribution: Tensor, scaledBy factor: Double) {
        let (target, adds) = gradientTarget()
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.scale(
                contribution.pointer(of: Scalar.self), by: Scalar(factor), into: target.pointer(of: Scalar.self),
                count: target.count, adds: adds)
        }
        run(dtype.differentiable(for: "gradient"))
    }
}
