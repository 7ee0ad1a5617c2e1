public import BatonTensor

/// A part of a model: its own parameters, its children, and a forward pass.
///
/// Not Sendable: a model stays on its rank's thread. Source: Gluon `Block` (parity 1.6, 3.1).
open class Block {
    /// Begins the names of the block's parameters, for instance `lstm0_`.
    public let prefix: String
    /// Own parameters in creation order, with their attribute names (`weight`, `l0_i2h_bias`).
    public let parameters: [(attribute: String, parameter: Parameter)]
    /// Children in registration order, with their names (`0`, `1`, … unless given).
    public private(set) var children: [(name: String, block: Block)] = []
    private let scope: NameScope

    /// Takes name and parameters from the outline.
    public init(_ outline: BlockOutline) {
        prefix = outline.prefix
        parameters = outline.parameters
        scope = outline.scope
    }

    /// The prefix without its trailing underscore.
    public var name: String { prefix.hasSuffix("_") ? String(prefix.dropLast()) : prefix }

    /// Blocks created in `body` get this block's prefix before theirs. With prefix "" it changes nothing.
    public func nameScope<Result>(_ body: () throws -> Result) rethrows -> Result {
        try NameScope.$current.withValue(scope, operation: body)
    }

    /// Adds a child; the default name is the number of children.
    public func register(child: Block, name: String? = nil) {
        children.append((name ?? String(children.count), child))
    }

    /// Own parameters, then the children's, depth first in registration order; a shared parameter once.
    ///
    /// Reversed, it is the order in which the backward pass completes gradients, if children are registered in the
    /// order in which they run.
    public func collectParameters() -> [Parameter] {
        var seen: Set<ObjectIdentifier> = []
        var result: [Parameter] = []
        collect(into: &result, &seen)
        return result
    }

    private func collect(into result: inout [Parameter], _ seen: inout Set<ObjectIdentifier>) {
        for (_, parameter) in parameters where seen.insert(ObjectIdentifier(parameter)).inserted {
            result.append(parameter)
        }
        for (_, child) in children { child.collect(into: &result, &seen) }
    }

    /// Initialises all parameters that have no values yet; those of unknown shape as soon as it is known.
    ///
    /// - Parameters:
    ///   - initializer: for parameters without their own. Gluon's default is U(−0.07, 0.07).
    ///   - seed: of the run; the numbers depend on it and on the parameters' names only.
    ///   - force: initialise again what has values.
    public func initialize(
        _ initializer: any Initializer = UniformInitializer(), seed: UInt64 = 0, force: Bool = false
    ) {
        for parameter in collectParameters() where force || !parameter.isInitialized {
            parameter.initialize(initializer, seed: seed)
        }
    }

    /// The output for one input. Every block that can be called with a single input overrides it.
    open func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        preconditionFailure("\(type(of: self)): has no forward pass for a single input")
    }

    /// Same as `forward`.
    public func callAsFunction(_ input: Variable, _ context: ForwardContext) -> Variable { forward(input, context) }
}
