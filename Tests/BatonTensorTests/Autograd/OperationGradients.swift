import BatonKernels
import BatonTensor
import BatonTestSupport
import Testing

/// Compares the tape's gradients of Σ y·w, w fixed and random, with central differences in f64.
///
/// - Returns: one sentence for each input or parameter that disagrees.
func gradientViolations(
    _ inputs: [Tensor], parameters: [Parameter] = [], leaves: LeafPlan, isTraining: Bool = false,
    _ forward: ([Variable], ForwardContext) -> Variable
) -> [String] {
    let tape = Tape()
    let arena = ParameterArena(parameters, subtreeCount: leaves.subtrees.count)
    var context = ForwardContext(tape: tape, isTraining: isTraining, leaves: leaves, random: RandomKey(seed: 9))
    let variables = inputs.map { Variable($0, requiresGradient: $0.dtype == .float64) }
    let output = forward(variables, context)
    var random = SeededRandom(seed: 77)
    let weights = random.array(output.value.count)
    tape.backward(from: [(output, Tensor(weights, shape: output.shape))])
    context.tape = nil

    func differences(_ tensor: Tensor, changed: () -> Void) -> [Double] {
        let memory = tensor.pointer(of: Double.self)
        let start = tensor.elements(as: Double.self)
        defer {
            memory.update(from: start, count: start.count)
            changed()
        }
        return GradientCheck.centralDifferences(at: start) { point in
            memory.update(from: point, count: point.count)
            changed()
            let value = forward(variables, context).value.elements(as: Double.self)
            return zip(value, weights).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }
    // The measure is relative to the largest gradient; objectives here are of order one to ten.
    let tolerance = 64 * GradientCheck.tolerance
    var violations: [String] = []
    for (index, variable) in variables.enumerated() where variable.requiresGradient {
        guard let gradient = variable.gradient else {
            violations.append("input \(index): no gradient")
            continue
        }
        let expected = differences(variable.value) {}
        if let problem = Tolerance.violation(
            "input \(index)", gradient.elements(as: Double.self), expected, tolerance: tolerance)
        {
            violations.append(problem)
        }
    }
    for parameter in parameters {
        var total = [Double](repeating: 0, count: parameter.count)
        for gradient in parameter.gradients {
            for (index, value) in gradient.elements(as: Double.self).enumerated() { total[index] += value }
        }
        let expected = differences(parameter.data) { parameter.markChanged() }
        if let problem = Tolerance.violation(parameter.name, total, expected, tolerance: tolerance) {
            violations.append(problem)
        }
    }
    withExtendedLifetime(arena) {}
    return violations
}

/// Random f64 values in [−scale, scale).
func randomTensor(_ shape: [Int], seed: UInt64, scale: Double = 1) -> Tensor {
    var random = SeededRandom(seed: seed)
    return Tensor(random.array(shape.reduce(1, *), scale: scale), shape: shape)
}

/// A batch of five rows in four leaves on one process, and as one process of several would hold part of it.
let leafPlans: [LeafPlan] = [
    .whole(rows: 5), LeafPlan(leaves: [0..<2, 2..<3, 3..<5], subtrees: [0..<1, 1..<3]),
]
