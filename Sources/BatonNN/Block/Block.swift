import BatonChecks
public import BatonTensor

/// A part of a model: its own parameters, its children, and a forward pass.
///
/// Not Sendable: a model stays on its rank's thread. Source: Gluon `Block` (parity 1.6, 3.1).
open class Block: CustomStringConvertible {
    /// Begins the name of the block, for instance `lstm0_`.
    public let prefix: String
    /// Own parameters in creation order, with their attribute names (`weight`, `l0_i2h_bias`).
    public let parameters: [(attribute: String, parameter: Parameter)]
    /// Own parameters by full name; given to another block's initialiser it shares them.
    public let params: ParameterDict
    /// Children in registration order, with their names (`0`, `1`, … unless given).
    public private(set) var children: [(name: String, block: Block)] = []
    private let scope: NameScope
    private var preHooks = HookList<ForwardPreHook>()
    private var hooks = HookList<ForwardHook>()

    /// Takes name and parameters from the outline.
    public init(_ outline: BlockOutline) {
        prefix = outline.prefix
        parameters = outline.parameters
        params = outline.params
        scope = outline.scope
    }

    /// The prefix without its trailing underscore.
    public var name: String { prefix.hasSuffix("_") ? String(prefix.dropLast()) : prefix }

    /// Blocks created in `body` get this block's prefix before theirs, and take over the parameters it shares.
    public func nameScope<Result>(_ body: () throws -> Result) rethrows -> Result {
        try NameScope.$current.withValue(scope, operation: body)
    }

    /// Adds a child; the default name is the number of children, or the next number that is free.
    ///
    /// - Precondition: no other child has the name: of two in a file, one would be lost.
    public func register(child: Block, name: String? = nil) {
        let taken = Set(children.map(\.name))
        let name = name ?? (children.count...).lazy.map { String($0) }.first { !taken.contains($0) } ?? ""
        require(
            !taken.contains(name),
            "\(self.name): there is a child named \(name); give the new one another name")
        children.append((name, child))
    }

    /// Adds children with their names, in order.
    public final func register(children: [(name: String, block: Block)]) {
        for (name, block) in children { register(child: block, name: name) }
    }

    /// The output for one input. Every block that can be called with a single input overrides it.
    open func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        fatalError("\(type(of: self)) has no forward pass for a single input; call it with the arguments it documents")
    }

    /// `forward` with the hooks around it: what to call a block by. Input and output as the block says.
    public func callAsFunction(_ input: Variable, _ context: ForwardContext) -> Variable {
        withHooks(inputs: [input]) {
            forward(input, context)
        } outputs: {
            [$0]
        }
    }

    /// Completes the shapes of the block's parameters from an input's, without running.
    ///
    /// - Returns: the shape of the output.
    /// - Throws: `NNError` if a parameter's known shape disagrees, naming it and both shapes, or if the block does not
    ///   say what shapes it makes.
    open func inferShape(_ input: [Int]) throws(NNError) -> [Int] {
        throw NNError(
            "\(type(of: self)) does not say what shapes it makes of \(input); run a forward pass instead.")
    }

    /// The name of an own parameter in `namedParameters`; the attribute unless a block says otherwise.
    open func structuralName(of attribute: String) -> String { attribute }

    /// Children first, then the block itself.
    @discardableResult public final func apply(_ body: (Block) throws -> Void) rethrows -> Self {
        for (_, child) in children { try child.apply(body) }
        try body(self)
        return self
    }

    /// Converts the parameters of the block and of those below it, values and gradients, to another type.
    ///
    /// - Precondition: float32 or float64, and no parameter in an arena.
    open func cast(to dtype: DType) {
        for (_, child) in children { child.cast(to: dtype) }
        for (_, parameter) in parameters { parameter.cast(to: dtype) }
    }

    /// Marks the hybrid blocks below.
    open func hybridize(active: Bool = true) { for (_, child) in children { child.hybridize(active: active) } }

    /// Adds a hook that runs before each forward pass.
    public final func registerForwardPreHook(_ hook: @escaping ForwardPreHook) -> HookHandle {
        let number = preHooks.add(hook)
        return HookHandle { [weak self] in self?.preHooks.remove(number) }
    }

    /// Adds a hook that runs after each forward pass.
    public final func registerForwardHook(_ hook: @escaping ForwardHook) -> HookHandle {
        let number = hooks.add(hook)
        return HookHandle { [weak self] in self?.hooks.remove(number) }
    }

    /// Runs a forward pass with the block's hooks around it; for blocks with call forms of their own.
    public final func withHooks<Result>(
        inputs: @autoclosure () -> [Variable], _ forward: () -> Result, outputs: (Result) -> [Variable]
    ) -> Result {
        if !preHooks.isEmpty {
            let inputs = inputs()
            for hook in preHooks.all { hook(self, inputs) }
        }
        let result = forward()
        if !hooks.isEmpty {
            let (inputs, values) = (inputs(), outputs(result))
            for hook in hooks.all { hook(self, inputs, values) }
        }
        return result
    }

    /// Whether someone wants to see the block's calls.
    final var hasHooks: Bool { !hooks.isEmpty || !preHooks.isEmpty }

    /// Class name and children; blocks with settings add theirs.
    open var description: String {
        let lines = children.map { "  (\($0.name)): \(indented($0.block.description))" }
        return (["\(type(of: self))("] + lines + [")"]).joined(separator: "\n")
    }

    /// The text with its lines after the first moved to the right, as Gluon prints what is inside.
    final func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
    }
}
