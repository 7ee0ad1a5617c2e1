import BatonKernels
import BatonNN
import BatonTensor
import Glibc

/// One step of a direction with weights in int8, in double precision from exact sums of integers.
///
/// Input and h are held as integers of a scale per row, weights as integers of a scale per gate row of both sides.
struct QuantizedStepOracle {
    /// What a kernel may differ by beside the value itself.
    struct Value {
        var value: Double
        var bound: Double
    }
    /// A row of input or h.
    struct Row {
        let scale: Float
        let integers: [Int]
    }
    /// A gate row of both weights.
    struct Weights {
        let scale: Float
        let input: [Int]
        let hidden: [Int]
    }
    /// Terms that the kernels add up as integers.
    static let pieceTerms = 512

    private let direction: RecurrentDirection
    private let weights: [Weights]
    private let biases: [(input: Double, hidden: Double)]

    init(_ direction: RecurrentDirection) {
        self.direction = direction
        let sides = [direction.inputWeight, direction.hiddenWeight].map { $0.data.elements(as: Float.self) }
        let widths = sides.map { $0.count / direction.inputBias.count }
        weights = (0..<direction.inputBias.count).map { gate in
            let rows = zip(sides, widths).map { Array($0[gate * $1..<(gate + 1) * $1]) }
            let greatest = rows.joined().map { abs($0) }.max() ?? 0
            let inverse = 127 / greatest
            let integers = rows.map { $0.map { Int(($0 * inverse).rounded(.toNearestOrEven)) } }
            return Weights(scale: greatest / 127, input: integers[0], hidden: integers[1])
        }
        biases = zip(direction.inputBias.data.doubles(), direction.hiddenBias.data.doubles()).map { ($0, $1) }
    }

    /// Of gate g of a unit.
    func weights(gate: Int, unit: Int) -> Weights { weights[gate * direction.hiddenSize + unit] }

    /// A row as the kernels round it.
    static func row(_ values: [Float]) -> Row {
        let isFused = KernelSelection.active.instructionSet != .baseline
        let greatest = values.map { abs($0) }.max() ?? 0
        guard greatest > 0 else { return Row(scale: 0, integers: values.map { _ in 0 }) }
        let (magic, inverse) = (Float(12_582_912), 127 / greatest)
        return Row(
            scale: greatest / 127,
            integers: values.map {
                Int((isFused ? magic.addingProduct($0, inverse) : $0 * inverse + magic) - magic)
            })
    }

    /// h and c after the step of one row. The bounds are sums over gates of (P + 4)·2⁻²⁴ times what P pieces and the bias
    /// add up to, handed on through derivatives of at most 1 and the factors of the cell, and of 4 units in the last place
    /// for each function and rounding.
    func step(input: [Float], hidden: [Float], cell: [Float]) -> (hidden: [Value], cell: [Value]) {
        let (x, h) = (Self.row(input), Self.row(hidden))
        let unit = 0x1p-24
        let results = (0..<direction.hiddenSize).map { index -> (Value, Value) in
            func sum(_ gate: Int, input: Bool = true, hidden: Bool = true) -> Value {
                let row = gate * direction.hiddenSize + index
                let (own, bias) = (weights[row], biases[row])
                var result = Value(value: 0, bound: 0)
                var pieces = 0
                func add(_ value: Double) {
                    result.value += value
                    result.bound += abs(value)
                    pieces += 1
                }
                func add(_ left: Row, _ right: [Int]) {
                    for first in stride(from: 0, to: right.count, by: Self.pieceTerms) {
                        let terms = first..<min(first + Self.pieceTerms, right.count)
                        add(
                            Double(own.scale) * Double(left.scale)
                                * Double(terms.reduce(0) { $0 + left.integers[$1] * right[$1] }))
                    }
                }
                if input { add(x, own.input) }
                if hidden { add(h, own.hidden) }
                add((input ? bias.input : 0) + (hidden ? bias.hidden : 0))
                result.bound *= Double(pieces + 4) * unit
                return result
            }
            func apply(_ function: (Double) -> Double, _ sum: Value) -> Value {
                Value(value: function(sum.value), bound: sum.bound + 4 * unit)
            }
            func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
            func product(_ a: Value, _ b: Value) -> Value {
                Value(
                    value: a.value * b.value,
                    bound: a.bound * (abs(b.value) + b.bound) + b.bound * abs(a.value) + unit * abs(a.value * b.value))
            }
            func total(_ a: Value, _ b: Value) -> Value {
                Value(value: a.value + b.value, bound: a.bound + b.bound + unit * abs(a.value + b.value))
            }
            switch direction.cell {
            case .rnnTanh: return (apply(tanh, sum(0)), Value(value: 0, bound: 0))
            case .rnnRelu: return (apply({ max(0, $0) }, sum(0)), Value(value: 0, bound: 0))
            case .gru:
                let (r, z) = (apply(sigmoid, sum(0)), apply(sigmoid, sum(1)))
                let n = apply(tanh, total(sum(2, hidden: false), product(r, sum(2, input: false))))
                let before = Value(value: Double(hidden[index]), bound: 0)
                let rest = Value(value: 1 - z.value, bound: z.bound + unit)
                return (total(product(rest, n), product(z, before)), Value(value: 0, bound: 0))
            case .lstm:
                let (i, f, o) = (apply(sigmoid, sum(0)), apply(sigmoid, sum(1)), apply(sigmoid, sum(3)))
                let g = apply(tanh, sum(2))
                let c = total(product(f, Value(value: Double(cell[index]), bound: 0)), product(i, g))
                return (product(o, apply(tanh, c)), c)
            }
        }
        return (results.map(\.0), results.map(\.1))
    }
}
