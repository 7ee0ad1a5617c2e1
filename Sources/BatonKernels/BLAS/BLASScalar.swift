internal import COpenBLAS
internal import Glibc

/// One operand of a product: a row-major matrix, read as it stands or transposed.
struct MatrixOperand<Scalar> {
    var pointer: UnsafePointer<Scalar>
    /// Distance between rows as stored.
    var stride: Int
    var transposed = false

    init(_ pointer: UnsafePointer<Scalar>, stride: Int, transposed: Bool = false) {
        self.pointer = pointer
        self.stride = stride
        self.transposed = transposed
    }
}

/// What the BLAS backend needs of a scalar type: products by OpenBLAS, functions by libm, and the gate loops.
///
/// The gate loops are requirements although one generic text serves both types: called through a generic class the
/// text would run unspecialised, hundreds of times slower; the conformances below are where it becomes concrete.
protocol BLASScalar: BinaryFloatingPoint, Sendable {
    /// out (rows, columns) = a (rows, depth) · b (depth, columns), or added to `out`.
    static func multiply(
        rows: Int, columns: Int, depth: Int, _ a: MatrixOperand<Self>, _ b: MatrixOperand<Self>, adds: Bool,
        into out: UnsafeMutablePointer<Self>, stride: Int)
    /// out (columns) = matrix (columns, depth)·vector (depth), or added to `out`.
    static func multiply(
        columns: Int, depth: Int, _ matrix: MatrixOperand<Self>, vector: UnsafePointer<Self>, adds: Bool,
        into out: UnsafeMutablePointer<Self>)
    /// out (rows, columns) = a (rows, depth) · the transpose of `weights` (columns, depth), or added to `out`.
    static func multiply(_ product: RowProduct<Self>)
    /// target (columns, rows) = the transpose of source (rows, columns).
    static func transpose(
        rows: Int, columns: Int, _ source: UnsafePointer<Self>, into target: UnsafeMutablePointer<Self>)
    static func exponential(_ x: Self) -> Self
    static func hyperbolicTangent(_ x: Self) -> Self
    /// Pre-activations to activations and new states.
    static func activate(_ cell: RecurrentKind, _ step: GateStep<Self>)
    /// Gradients of states to gradients of pre-activations.
    static func differentiate(_ cell: RecurrentKind, _ step: GateStepGradient<Self>)
    /// target += source, element by element.
    static func accumulate(
        _ source: UnsafePointer<Self>, into target: UnsafeMutablePointer<Self>, count: Int)
}

extension BLASScalar {
    /// 1 / (1 + e⁻ˣ) without overflow: the exponential's argument is never positive.
    @inline(__always) static func sigmoid(_ x: Self) -> Self {
        let e = exponential(-abs(x))
        return (x < 0 ? e : 1) / (1 + e)
    }
}

@inline(__always)
private func add<Scalar: BLASScalar>(
    _ source: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Scalar>, count: Int
) {
    for i in 0..<count { target[i] += source[i] }
}

extension Double: BLASScalar {
    static func multiply(
        rows: Int, columns: Int, depth: Int, _ a: MatrixOperand<Double>, _ b: MatrixOperand<Double>, adds: Bool,
        into out: UnsafeMutablePointer<Double>, stride: Int
    ) {
        if rows == 0 || columns == 0 { return }
        cblas_dgemm(
            CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
            Int32(rows), Int32(columns), Int32(depth), 1, a.pointer, Int32(a.stride), b.pointer, Int32(b.stride),
            adds ? 1 : 0, out, Int32(stride))
    }

    static func multiply(
        columns: Int, depth: Int, _ matrix: MatrixOperand<Double>, vector: UnsafePointer<Double>, adds: Bool,
        into out: UnsafeMutablePointer<Double>
    ) {
        cblas_dgemv(
            CblasRowMajor, CblasNoTrans, Int32(columns), Int32(depth), 1, matrix.pointer, Int32(matrix.stride), vector,
            1, adds ? 1 : 0, out, 1)
    }

    static func multiply(_ product: RowProduct<Double>) { product.run() }

    static func transpose(
        rows: Int, columns: Int, _ source: UnsafePointer<Double>, into target: UnsafeMutablePointer<Double>
    ) {
        cblas_domatcopy(
            CblasRowMajor, CblasTrans, Int32(rows), Int32(columns), 1, source, Int32(columns), target, Int32(rows))
    }

    @inline(__always) static func exponential(_ x: Double) -> Double { exp(x) }
    @inline(__always) static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }

    static func activate(_ cell: RecurrentKind, _ step: GateStep<Double>) { step.activate(cell) }
    static func differentiate(_ cell: RecurrentKind, _ step: GateStepGradient<Double>) { step.differentiate(cell) }
    static func accumulate(
        _ source: UnsafePointer<Double>, into target: UnsafeMutablePointer<Double>, count: Int
    ) { add(source, to: target, count: count) }
}

extension Float: BLASScalar {
    static func multiply(
        rows: Int, columns: Int, depth: Int, _ a: MatrixOperand<Float>, _ b: MatrixOperand<Float>, adds: Bool,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        if rows == 0 || columns == 0 { return }
        cblas_sgemm(
            CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
            Int32(rows), Int32(columns), Int32(depth), 1, a.pointer, Int32(a.stride), b.pointer, Int32(b.stride),
            adds ? 1 : 0, out, Int32(stride))
    }

    static func multiply(
        columns: Int, depth: Int, _ matrix: MatrixOperand<Float>, vector: UnsafePointer<Float>, adds: Bool,
        into out: UnsafeMutablePointer<Float>
    ) {
        cblas_sgemv(
            CblasRowMajor, CblasNoTrans, Int32(columns), Int32(depth), 1, matrix.pointer, Int32(matrix.stride), vector,
            1, adds ? 1 : 0, out, 1)
    }

    static func multiply(_ product: RowProduct<Float>) { product.run() }

    static func transpose(
        rows: Int, columns: Int, _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        cblas_somatcopy(
            CblasRowMajor, CblasTrans, Int32(rows), Int32(columns), 1, source, Int32(columns), target, Int32(rows))
    }

    @inline(__always) static func exponential(_ x: Float) -> Float { expf(x) }

    /// 1 − 2/(e²ˣ + 1) in f64: half an ulp of f32, and more than twice as fast as libm's `tanhf`. Below 2⁻¹² the
    /// difference of tanh x from x is less than a third of an ulp.
    @inline(__always) static func hyperbolicTangent(_ x: Float) -> Float {
        abs(x) < 0x1p-12 ? x : Float(1 - 2 / (exp(2 * Double(x)) + 1))
    }

    static func activate(_ cell: RecurrentKind, _ step: GateStep<Float>) { step.activate(cell) }
    static func differentiate(_ cell: RecurrentKind, _ step: GateStepGradient<Float>) { step.differentiate(cell) }
    static func accumulate(
        _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int
    ) { add(source, to: target, count: count) }
}
