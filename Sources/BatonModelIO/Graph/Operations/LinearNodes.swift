import BatonChecks
import BatonKernels
import BatonNN
import BatonTensor

/// `FullyConnected`: y = x·Wᵀ + b on the last axis, or on all but the first joined.
///
/// Weight and bias are parameters of the graph; nodes that share them, such as the steps of a cell, share the packed
/// form and so one gradient.
struct FullyConnectedNode: GraphOperation {
    let weight: Parameter
    let bias: Parameter?
    let flattens: Bool
    let product: LinearLayerProduct

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let input = try inputs.exactly(1)[0]
        guard input.dtype == weight.dtype, let last = input.axes.last else {
            throw GraphMismatch("takes \(weight.dtype.rawValue), and got \(input.dtype.rawValue) \(input.axes)")
        }
        let joins = flattens && input.axes.count > 2
        let width = joins ? GraphShape(axes: Array(input.axes.dropFirst()), dtype: input.dtype).count ?? 0 : last
        guard width == weight.shape[1], input.axes.count >= 2, !input.axes.contains(0) else {
            throw GraphMismatch(
                "takes \(weight.shape[1]) features for \(printable(weight.name)) \(weight.shape), and got \(input.axes)"
            )
        }
        let outer = joins ? [input.axes[0]] : Array(input.axes.dropLast())
        return [GraphShape(axes: outer + [weight.shape[0]], dtype: input.dtype)]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        let shape = inputs[0].shape
        let outer = flattens ? [shape[0]] : Array(shape.dropLast())
        let rows = outer.reduce(1, *)
        // A graph does not say which axis is the batch, so all rows together are summed over.
        var context = context
        context.leaves = .whole(rows: rows)
        let current = product.refreshed(weight: weight, bias: bias, training: context.tape != nil)
        let flat = context.reshape(inputs[0], to: [rows, weight.shape[1]])
        let output = context.linear(flat, weight: weight, bias: bias, product: current)
        return [context.reshape(output, to: outer + [weight.shape[0]])]
    }
}

/// `Embedding`: rows of a table; numbers outside it are clipped into it, as in MXNet.
struct EmbeddingNode: GraphOperation {
    let weight: Parameter

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let input = try inputs.exactly(1)[0]
        guard !input.axes.isEmpty, !input.axes.contains(0), input.axes.count < 8 else {
            throw GraphMismatch("takes numbers of rows, and got an array \(input.axes)")
        }
        return [GraphShape(axes: input.axes + [weight.shape[1]], dtype: weight.dtype)]
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        let ids = inputs[0].value
        let last = Double(weight.shape[0] - 1)
        let values = ids.dtype.isFloatingPoint ? ids.doubles() : ids.integers().map { Double($0) }
        let rows = try values.map { value in
            guard !value.isNaN else { throw GraphMismatch("got NaN as the number of a row") }
            return Int64(min(max(value, 0), last))
        }
        var context = context
        context.leaves = .whole(rows: rows.count)
        let output = context.embedding(Tensor(rows, shape: [rows.count]), weight: weight)
        return [context.reshape(output, to: ids.shape + [weight.shape[1]])]
    }
}

/// `LayerNorm` over the last axis, with γ and β of the graph.
struct LayerNormNode: GraphOperation {
    let gain: Parameter
    let bias: Parameter
    let epsilon: Double

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let input = try inputs.exactly(1)
        guard input[0].dtype == gain.dtype, input[0].axes.count >= 2, input[0].axes.last == gain.count,
            !input[0].axes.contains(0)
        else {
            throw GraphMismatch(
                "takes \(gain.count) features of \(gain.dtype.rawValue), and got \(input[0].dtype.rawValue) \(input[0].axes)"
            )
        }
        return input
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        let rows = inputs[0].value.count / gain.count
        var context = context
        context.leaves = .whole(rows: rows)
        let flat = context.reshape(inputs[0], to: [rows, gain.count])
        let output = context.layerNorm(flat, gain: gain, bias: bias, epsilon: epsilon)
        return [context.reshape(output, to: inputs[0].shape)]
    }
}
