import BatonChecks
internal import BatonKernelABI
internal import BatonKernels

extension ForwardContext {
    /// y = x·Wᵀ (+ b) with parameters; `product` holds them in the backend's form and is up to date.
    ///
    /// | Argument | Shape |
    /// |---|---|
    /// | x | (T, N, C), (N, T, C) as `layout` says, or (N, C), rows as the context's leaf plan |
    /// | weight | (units, C) |
    /// | bias | (units) |
    /// | returns | as x, with units in place of C |
    ///
    /// A product that is used several times on a tape, as in the steps of a recurrent cell, gets its weight gradient
    /// when the last use was walked back: one chain per leaf over all uses, last use first. So it has the same bits
    /// on any number of processes, and is one product instead of many.
    public func linear(
        _ x: Variable, weight: Parameter, bias: Parameter?, product: any LinearProduct, layout: SequenceLayout = .TNC
    ) -> Variable {
        let leaves = leaves
        let value = Tensor(uninitialized: x.shape.dropLast() + [weight.shape[0]], dtype: x.dtype)
        product.forward(x.value, into: value, leaves: leaves, layout: layout)
        let parameters = [weight] + (bias.map { [$0] } ?? [])
        let trained = parameters.filter { $0.gradientRequirement != .null }
        let recorded = records([x], parameters)
        let output = Variable(value, requiresGradient: recorded)
        guard recorded, let tape else { return output }
        let group =
            trained.isEmpty
            ? nil : tape.group(of: product, leaves) { LinearGradientGroup(product, weight, bias, leaves) }
        group?.uses += 1
        let version = weight.version
        tape.record(
            TapeNode(
                name: "linear \(weight.name)", outputs: [output], parameters: trained,
                backwardData: { _ in
                    guard x.requiresGradient, let gradient = output.gradient else { return }
                    require(
                        weight.version == version,
                        "linear: \(weight.name) has changed between forward and backward pass; walk the tape back before the weights are updated"
                    )
                    let (target, adds) = x.gradientTarget()
                    product.backwardData(gradient, into: target, adds: adds, leaves: leaves, layout: layout)
                },
                backwardWeights: { _ in
                    if let gradient = output.gradient { group?.add(input: x.value, outputGradient: gradient, layout) }
                },
                completion: { hook in group?.completeUse(hook) }))
        return output
    }

    /// x·Wᵀ of two variables, x (T, N, C) or (N, C), W (units, C), of one type. dX = dY·W; dW = Σ over leaves of dYᵀ·X.
    public func matmul(_ x: Variable, transposed weight: Variable) -> Variable {
        require(
            weight.shape.count == 2 && x.shape.last == weight.shape[1] && weight.dtype == x.dtype,
            "matmul: expected (…,C) and (units,C) of one type, got \(x.shape) \(x.dtype.rawValue) and \(weight.shape) \(weight.dtype.rawValue)"
        )
        let leaves = leaves
        let product = makeLinearProduct(units: weight.shape[0], width: weight.shape[1], dtype: x.dtype)
        product.update(weight: weight.value, bias: nil, training: true)
        let value = Tensor(uninitialized: x.shape.dropLast() + [weight.shape[0]], dtype: x.dtype)
        product.forward(x.value, into: value, leaves: leaves)
        return result("matmul", value, of: [x, weight]) { gradient in
            if x.requiresGradient {
                let (target, adds) = x.gradientTarget()
                product.backwardData(gradient, into: target, adds: adds, leaves: leaves)
            }
            if weight.requiresGradient {
                let roots = leaves.subtrees.map { _ in Tensor(zeros: weight.shape, dtype: weight.dtype) }
                product.backwardWeights(
                    input: x.value, outputGradient: gradient, weightGradients: roots, biasGradients: nil,
                    leaves: leaves, hook: .none)
                for root in roots { weight.consumeGradient(root) }
            }
        }
    }
}
