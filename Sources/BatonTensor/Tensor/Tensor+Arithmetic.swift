import BatonChecks
internal import BatonKernels

extension Tensor {
    /// Adds another tensor of equal type and count, element by element.
    public func add(_ other: Tensor) {
        require(
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

    /// The elements rounded to another floating-point type; the tensor itself if it has that type.
    ///
    /// - Precondition: both types are float32 or float64.
    public func cast(to target: DType) -> Tensor {
        if target == dtype { return self }
        let result = Tensor(uninitialized: shape, dtype: target)
        switch (dtype, target) {
        case (.float32, .float64):
            let (source, destination) = (pointer(of: Float.self), result.pointer(of: Double.self))
            for index in 0..<count { destination[index] = Double(source[index]) }
        case (.float64, .float32):
            let (source, destination) = (pointer(of: Double.self), result.pointer(of: Float.self))
            for index in 0..<count { destination[index] = Float(source[index]) }
        default:
            fatalError(
                "Tensor.cast: expected float32 and float64, got \(dtype.rawValue) and \(target.rawValue)")
        }
        return result
    }
}
