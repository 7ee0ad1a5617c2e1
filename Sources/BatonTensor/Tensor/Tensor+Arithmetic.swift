internal import BatonKernels

extension Tensor {
    /// Adds another tensor of equal type and count, element by element.
    public func add(_ other: Tensor) {
        precondition(
            other.dtype == dtype && other.count == count,
            "Tensor.add: expected \(shape) \(dtype.rawValue), got \(other.shape) \(other.dtype.rawValue)")
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            let target = pointer(of: Scalar.self)
            Scalar.addElements(target, other.pointer(of: Scalar.self), into: target, count: count)
        }
        run(dtype.differentiable(for: "Tensor.add"))
    }

    /// Multiplies every element.
    public func scale(by factor: Double) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            let target = pointer(of: Scalar.self)
            Scalar.scale(target, by: Scalar(factor), into: target, count: count, adds: false)
        }
        run(dtype.differentiable(for: "Tensor.scale"))
    }

    /// The elements as f64, whatever the floating-point type.
    public func doubles() -> [Double] {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) -> [Double] {
            elements(as: Scalar.self).map { Double($0) }
        }
        return run(dtype.differentiable(for: "Tensor.doubles"))
    }

    /// The given elements rounded to a floating-point type.
    public init(doubles values: [Double], shape: [Int], dtype: DType) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) -> Tensor {
            Tensor(values.map { Scalar($0) }, shape: shape)
        }
        self = run(dtype.differentiable(for: "Tensor"))
    }
}
