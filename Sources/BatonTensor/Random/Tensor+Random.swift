internal import BatonKernels

extension Tensor {
    /// Overwrites with U(low, high); element i is number i of the stream, rounded to the element type.
    public func fillUniform(_ range: ClosedRange<Double>, stream: RandomStream) {
        fill { stream.uniformPair($0) * (range.upperBound - range.lowerBound) + range.lowerBound }
    }

    /// Overwrites with N(mean, standardDeviation²); element i is number i of the stream.
    public func fillNormal(mean: Double = 0, standardDeviation: Double, stream: RandomStream) {
        fill { stream.normalPair($0) * standardDeviation + mean }
    }

    /// Overwrites with one value.
    public func fill(_ value: Double) { fill { _ in SIMD2(repeating: value) } }

    private func fill(_ pair: (UInt64) -> SIMD2<Double>) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            let target = pointer(of: Scalar.self)
            for index in stride(from: 0, to: count, by: 2) {
                let values = pair(UInt64(index / 2))
                target[index] = Scalar(values[0])
                if index + 1 < count { target[index + 1] = Scalar(values[1]) }
            }
        }
        run(dtype.differentiable(for: "Tensor.fill"))
    }
}
