import BatonChecks
public import BatonTensor

/// PyTorch's default initial values, so that training curves compare with PyTorch's.
///
/// | Layer | Values |
/// |---|---|
/// | recurrent, weights and biases | U(−1/√H, 1/√H) |
/// | fully connected, weight and bias | U(−1/√C, 1/√C) |
/// | embedding | N(0, 1) |
///
/// Source: PyTorch `RNNBase.reset_parameters`, `Linear.reset_parameters`, `Embedding.reset_parameters`.
public enum PyTorchInitialization {
    /// Initialises a tree of `Dense`, `Embedding` and recurrent layers. Overrides values and the parameters' own
    /// initialisers; what several layers share gets the values of the first of them.
    ///
    /// - Parameter isHeld: parameters for which it is false get no values: another process holds them.
    /// - Precondition: the input widths are known.
    public static func initialize(
        _ block: Block, seed: UInt64, where isHeld: (Parameter) -> Bool = { _ in true }
    ) {
        var visited: Set<ObjectIdentifier> = []
        initialize(block) { parameter, initializer in
            guard visited.insert(ObjectIdentifier(parameter)).inserted, isHeld(parameter) else { return }
            parameter.initialize(overriding: initializer, seed: seed)
        }
    }

    private static func initialize(_ block: Block, _ fill: (Parameter, any Initializer) -> Void) {
        if let layer = block as? RecurrentLayer {
            for (_, parameter) in layer.parameters {
                fill(parameter, UniformInitializer(1 / Double(layer.hiddenSize).squareRoot()))
            }
        } else if let layer = block as? Dense {
            require(
                layer.weight.hasKnownShape,
                "PyTorchInitialization: the input width of \(layer.name) is not known; give inUnits")
            let bound = UniformInitializer(1 / Double(layer.weight.shape[1]).squareRoot())
            for (_, parameter) in layer.parameters { fill(parameter, bound) }
        } else if let layer = block as? Embedding {
            fill(layer.weight, NormalInitializer(1))
        }
        for (_, child) in block.children { initialize(child, fill) }
    }
}
