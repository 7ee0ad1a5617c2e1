internal import Glibc

/// The few vector operations the oracle's equations are written with; plain loops, no blocking.
enum OracleAlgebra {
    /// matrix·vector + offset
    static func affine(_ matrix: [Double], _ vector: [Double], _ offset: [Double]) -> [Double] {
        let columns = vector.count
        return offset.indices.map { row in
            var sum = offset[row]
            for column in 0..<columns { sum += matrix[row * columns + column] * vector[column] }
            return sum
        }
    }

    /// matrixᵀ·vector
    static func transposed(_ matrix: [Double], _ vector: [Double], columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: columns)
        for row in vector.indices {
            for column in 0..<columns { result[column] += matrix[row * columns + column] * vector[row] }
        }
        return result
    }

    /// matrix += left·rightᵀ
    static func addOuter(_ left: [Double], _ right: [Double], to matrix: inout [Double]) {
        for row in left.indices {
            for column in right.indices { matrix[row * right.count + column] += left[row] * right[column] }
        }
    }

    static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
