public import BatonKernelABI

/// One recorded step of a computation.
///
/// A node is walked back once: first `backwardData`, which reads the gradients of the outputs and adds to those
/// of the inputs, then `backwardWeights`, which adds to the gradients of the parameters.
public struct TapeNode {
    /// What was computed, for messages.
    public var name: String
    /// Variables whose value this node wrote, wholly or in part (two directions share one output).
    public var outputs: [Variable]
    /// Parameters whose gradient this node adds to.
    public var parameters: [Parameter]
    /// Carries gradients from the outputs to the inputs.
    public var backwardData: (StepHook) -> Void
    /// Adds to the gradients of the parameters; nil if there are none.
    public var backwardWeights: ((StepHook) -> Void)?

    /// A node; see the properties.
    public init(
        name: String, outputs: [Variable], parameters: [Parameter] = [],
        backwardData: @escaping (StepHook) -> Void, backwardWeights: ((StepHook) -> Void)? = nil
    ) {
        self.name = name
        self.outputs = outputs
        self.parameters = parameters
        self.backwardData = backwardData
        self.backwardWeights = backwardWeights
    }
}

/// Records nodes in execution order and walks them back once.
///
/// Nothing is allocated per step in the steady state: nodes are dropped as they are walked, which returns saved
/// values, gradients of activations and borrowed workspaces to their pools.
public final class Tape {
    private var nodes: [TapeNode] = []
    /// Nodes that will still add to the gradient of a parameter.
    private var pendingUses: [ObjectIdentifier: Int] = [:]
    /// Parameters of the recorded nodes whose gradients a backward pass begins at zero.
    private var overwritten: [ObjectIdentifier: Parameter] = [:]
    /// Called during `backward` as soon as the gradient of a parameter is final, in an order that depends only on
    /// the recorded computation: that of `Block.collectParameters().reversed()`, if every parameter is used once.
    public var gradientReady: ((Parameter) -> Void)?

    /// An empty tape.
    public init() {}

    /// Number of nodes waiting to be walked back.
    public var nodeCount: Int { nodes.count }

    /// Appends a node.
    public func record(_ node: TapeNode) {
        for output in node.outputs { output.pendingProducers += 1 }
        for parameter in node.parameters {
            pendingUses[ObjectIdentifier(parameter), default: 0] += 1
            if parameter.overwritesGradients { overwritten[ObjectIdentifier(parameter)] = parameter }
        }
        nodes.append(node)
    }

    /// Forgets what was recorded.
    public func clear() {
        for node in nodes { for output in node.outputs { output.pendingProducers -= 1 } }
        nodes.removeAll(keepingCapacity: true)
        pendingUses.removeAll(keepingCapacity: true)
        overwritten.removeAll(keepingCapacity: true)
    }

    /// Walks all nodes in reverse order and empties the tape.
    ///
    /// - Parameters:
    ///   - seeds: gradients of the objective with respect to some variables. The tensors are consumed: their memory is
    ///     added to and reused.
    ///   - hook: passed to every kernel, called after every time step.
    ///
    /// Nodes whose outputs receive no gradient are passed over. `gradientReady` is called for every parameter of the
    /// recorded nodes, also for those whose gradient stayed zero.
    public func backward(from seeds: [(variable: Variable, gradient: Tensor)], hook: StepHook = .none) {
        for seed in seeds { seed.variable.consumeGradient(seed.gradient) }
        for parameter in overwritten.values where parameter.gradientRequirement == .write { parameter.zeroGradient() }
        overwritten.removeAll(keepingCapacity: true)
        while let node = nodes.popLast() {
            if node.outputs.contains(where: { $0.gradient != nil }) {
                node.backwardData(hook)
                node.backwardWeights?(hook)
            }
            for output in node.outputs {
                output.pendingProducers -= 1
                if output.pendingProducers == 0 { output.gradient = nil }
            }
            for parameter in node.parameters.reversed() { release(parameter) }
        }
    }

    private func release(_ parameter: Parameter) {
        let key = ObjectIdentifier(parameter)
        let remaining = (pendingUses[key] ?? 1) - 1
        if remaining > 0 {
            pendingUses[key] = remaining
        } else {
            pendingUses[key] = nil
            parameter.hasFreshGradient = true
            gradientReady?(parameter)
        }
    }
}
