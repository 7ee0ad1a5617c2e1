/// y = x·Wᵀ + b, W (units, width), on rows; and its gradients.
public struct OracleLinear: Sendable {
    public var units: Int
    public var width: Int
    public var weight: [Double]
    public var bias: [Double]

    public init(units: Int, width: Int, weight: [Double], bias: [Double]) {
        self.units = units
        self.width = width
        self.weight = weight
        self.bias = bias
    }

    /// `input` (rows, width) → (rows, units)
    public func forward(_ input: [Double]) -> [Double] {
        rows(input, width).flatMap { OracleAlgebra.affine(weight, $0, bias) }
    }

    /// Gradients of Σ output·outputGradient.
    public func backward(
        _ input: [Double], outputGradient: [Double]
    ) -> (input: [Double], weight: [Double], bias: [Double]) {
        var weightGradient = weight.map { _ in 0.0 }
        var biasGradient = bias.map { _ in 0.0 }
        var inputGradient: [Double] = []
        for (x, dy) in zip(rows(input, width), rows(outputGradient, units)) {
            OracleAlgebra.addOuter(dy, x, to: &weightGradient)
            for unit in dy.indices { biasGradient[unit] += dy[unit] }
            inputGradient += OracleAlgebra.transposed(weight, dy, columns: width)
        }
        return (inputGradient, weightGradient, biasGradient)
    }

    private func rows(_ values: [Double], _ columns: Int) -> [[Double]] {
        stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<$0 + columns]) }
    }
}
