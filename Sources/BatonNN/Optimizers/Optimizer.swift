import BatonChecks
public import BatonTensor

/// Updates the parameters of an arena from a flat gradient, in one pass over memory.
///
/// States begin at zero and live in flat tensors laid out as the arena, so they are found by parameter.
public protocol Optimizer: AnyObject {
    /// η of the next step; a schedule sets it.
    var learningRate: Double { get set }
    /// Number of steps done.
    var stepCount: Int { get }
    /// The arena whose parameters are updated.
    var arena: ParameterArena { get }
    /// Flat state tensors with their names, as checkpoints store them.
    var states: [(name: String, values: Tensor)] { get }

    /// One update.
    ///
    /// - Parameters:
    ///   - gradient: flat, laid out as the arena.
    ///   - gradientScale: factor of the gradient, from clipping.
    func step(gradient: Tensor, gradientScale: Double)

    /// Continues after `stepCount` steps; the state tensors have been filled by the caller.
    func resume(stepCount: Int)
}

extension Optimizer {
    /// One update from the arena's own gradient.
    ///
    /// - Precondition: one process holds the whole tree of leaves, so the arena has one gradient.
    public func step(gradientScale: Double = 1) {
        require(
            arena.gradients.count == 1,
            "Optimizer.step: the arena has \(arena.gradients.count) partial gradients; combine them and pass the sum")
        step(gradient: arena.gradients[0], gradientScale: gradientScale)
    }

    /// The states of one parameter, in its shape.
    public func state(for parameter: Parameter) -> [(name: String, values: Tensor)] {
        guard let range = arena.range(of: parameter) else { return [] }
        return states.map { ($0.name, $0.values[leading: range].reshaped(parameter.shape)) }
    }

    func check(_ gradient: Tensor) {
        require(
            gradient.count == arena.count && gradient.dtype == arena.dtype,
            "Optimizer.step: expected a flat gradient (\(arena.count)) of \(arena.dtype.rawValue), got \(gradient.shape) \(gradient.dtype.rawValue)"
        )
        for slot in arena.slots {
            let parameter = slot.parameter
            require(
                parameter.learningRateMultiplier == 1 && parameter.weightDecayMultiplier == 1,
                "Optimizer.step: \(parameter.name) has rates of its own, and this optimiser has one for all; use a Trainer"
            )
        }
    }
}
