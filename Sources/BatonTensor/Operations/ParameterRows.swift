import BatonChecks
import BatonKernels

extension ForwardContext {
    /// A parameter beside every row, for operations element by element: peepholes, gains, states that are learned.
    ///
    /// y[t, n, :] = p. dP = Σ dY over steps and rows, by the leaf rule over all uses on the tape, see `linear`: the bits do
    /// not depend on how the rows are spread over processes.
    ///
    ///     let peephole = context.multiply(context.rows(of: weight), states[1])
    ///
    /// | Argument | Shape |
    /// |---|---|
    /// | parameter | (C), f32 or f64, with values |
    /// | returns | (N, C) with the rows of the context's leaf plan; with steps (T, N, C) |
    ///
    /// Source: what MXNet's `broadcast_mul(x, weight)` and `broadcast_add` do with a parameter of a block.
    public func rows(of parameter: Parameter, steps: Int? = nil) -> Variable {
        require(
            parameter.shape.count == 1 && parameter.dtype.isFloatingPoint && (steps ?? 1) >= 0,
            "rows(of:): expected a parameter (C) of float32 or float64, got \(parameter)")
        let single = parameter.data.reshaped(Array(repeating: 1, count: steps == nil ? 1 : 2) + parameter.shape)
        let shape = [steps, leaves.rowCount, parameter.count].compactMap { $0 }
        // One row would be the parameter's own memory, which the optimiser changes.
        let value = shape == single.shape ? single.copy() : single.broadcast(to: shape)
        let recorded = records([], [parameter])
        let output = Variable(value, requiresGradient: recorded)
        guard recorded, let tape, let group = rowSumGroup(parameter, tape) else { return output }
        tape.record(
            TapeNode(
                name: "rows of \(parameter.name)", outputs: [output], parameters: [parameter], backwardData: { _ in },
                backwardWeights: { _ in
                    if let gradient = output.gradient { group.add(outputGradient: gradient, factor: nil) }
                }, completion: { hook in group.completeUse(hook) }))
        return output
    }
}
