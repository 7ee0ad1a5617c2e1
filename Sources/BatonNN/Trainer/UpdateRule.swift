public import BatonTensor

/// What an update of one parameter depends on beside the parameter.
public struct UpdateArguments: Sendable {
    /// η, times the parameter's multiplier.
    public var learningRate: Double
    /// λ, times the parameter's multiplier.
    public var weightDecay: Double
    /// Factor of the gradient: 1 / batch size.
    public var rescale: Double
    /// Bound of every rescaled gradient element; nil is none.
    public var clip: Double?
    /// Number of the parameter's update, from 1.
    public var update: Int
}

/// An optimiser of Gluon, parameter by parameter; used by `Trainer`. (`Optimizer` is the flat one of the engine, with
/// PyTorch's formulas.)
///
/// All rules begin with a gradient that is rescaled, clipped and decayed: g ← clip(rescale·g) + λw for `SGDRule`,
/// g ← clip(rescale·g + λw) for the others, as MXNet 1.9.1 computes.
public protocol UpdateRule: Sendable {
    /// η where none is given.
    var defaultLearningRate: Double { get }
    /// λ.
    var weightDecay: Double { get }
    /// Bound of every rescaled gradient element; nil is none.
    var clipGradient: Double? { get }
    /// Names of the states, each of the parameter's shape, which begin at zero.
    var stateNames: [String] { get }
    /// Changes the values and the states.
    func update(_ values: Tensor, gradient: Tensor, states: [Tensor], _ arguments: UpdateArguments)
}
