import BatonChecks
public import BatonKernelABI
internal import BatonKernels

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
    /// Called after the node was walked back, or passed over because its outputs had no gradient.
    public var completion: ((StepHook) -> Void)?

    /// A node; see the properties.
    public init(
        name: String, outputs: [Variable], parameters: [Parameter] = [],
        backwardData: @escaping (StepHook) -> Void, backwardWeights: ((StepHook) -> Void)? = nil,
        completion: ((StepHook) -> Void)? = nil
    ) {
        self.name = name
        self.outputs = outputs
        self.parameters = parameters
        self.backwardData = backwardData
        self.backwardWeights = backwardWeights
        self.completion = completion
    }
}

/// Records nodes in execution order and walks them back once.
///
/// In the steady state steps take no memory for arrays from the system: nodes are dropped as they are walked, which returns
/// saved values, gradients of activations and borrowed workspaces to their pools.
public final class Tape {
    private struct GroupKey: Hashable {
        let product: ObjectIdentifier
        let leaves: LeafPlan
    }

    private struct MaskKey: Hashable {
        let name: String
        let random: RandomKey
    }

    private var nodes: [TapeNode] = []
    /// How often masks of one name were drawn for one place since the tape was emptied.
    private var maskUses: [MaskKey: Int] = [:]
    /// Nodes that will still add to the gradient of a parameter.
    private var pendingUses: [ObjectIdentifier: Int] = [:]
    /// Parameters of the recorded nodes whose gradients a backward pass begins at zero.
    private var overwritten: [ObjectIdentifier: Parameter] = [:]
    /// Uses of one product that share its gradient, by product.
    private var groups: [GroupKey: GradientGroup] = [:]
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
        groups.removeAll(keepingCapacity: true)
        maskUses.removeAll(keepingCapacity: true)
    }

    /// The name under which a layer that is called once more draws its mask: its own at first, and with a number from then
    /// on, so that the masks of two calls are independent. Alike on all ranks, which record the same calls.
    func maskName(_ name: String, _ random: RandomKey) -> String {
        let uses = maskUses[MaskKey(name: name, random: random), default: 0]
        maskUses[MaskKey(name: name, random: random)] = uses + 1
        return uses == 0 ? name : "\(name) \(uses)"
    }

    /// The group of a product, made at its first use on the tape and dropped after its last was walked back.
    func group<Group: GradientGroup>(of product: AnyObject, _ leaves: LeafPlan, _ make: () -> Group) -> Group {
        let key = GroupKey(product: ObjectIdentifier(product), leaves: leaves)
        if let known = groups[key] as? Group { return known }
        let group = make()
        group.onFinish = { [weak self] in self?.groups[key] = nil }
        groups[key] = group
        return group
    }

    /// Walks the tape back from one variable, every element of which counts once.
    ///
    /// - Precondition: the variable was recorded, and not walked back from before.
    public func backward(_ objective: Variable, hook: StepHook = .none) {
        require(
            objective.pendingProducers > 0,
            "Tape.backward: the objective was not recorded, or walked back already; compute it with a context that has this tape, from something that needs a gradient"
        )
        let seed = Tensor(uninitialized: objective.shape, dtype: objective.dtype)
        seed.fill(1)
        backward(from: [(objective, seed)], hook: hook)
    }

    /// Walks all nodes in reverse order and empties the tape.
    ///
    /// - Parameters:
    ///   - seeds: gradients of the objective with respect to some variables. The tensors are consumed: their memory is
    ///     added to and reused.
    ///   - hook: passed to every kernel, called after every time step, and told of the rows of gradients that are final
    ///     before `gradientReady` says so of the whole parameter.
    ///
    /// Nodes whose outputs receive no gradient are passed over. `gradientReady` is called for every parameter of the
    /// recorded nodes, also for those whose gradient stayed zero.
    public func backward(from seeds: [(variable: Variable, gradient: Tensor)], hook: StepHook = .none) {
        for seed in seeds { seed.variable.consumeGradient(seed.gradient) }
        for parameter in overwritten.values where parameter.gradientRequirement == .write { parameter.zeroGradient() }
        overwritten.removeAll(keepingCapacity: true)
        while let node = nodes.popLast() {
            // What a kernel finishes is final only if no other node adds to it.
            let weightHook =
                node.parameters.allSatisfy { pendingUses[ObjectIdentifier($0)] == 1 } ? hook : hook.ofStepsOnly
            if node.outputs.contains(where: { $0.gradient != nil }) {
                node.backwardData(hook)
                node.backwardWeights?(weightHook)
            }
            node.completion?(weightHook)
            for output in node.outputs {
                output.pendingProducers -= 1
                if output.pendingProducers == 0 { output.gradient = nil }
            }
            for parameter in node.parameters.reversed() { release(parameter) }
        }
        maskUses.removeAll(keepingCapacity: true)
    }

    private func release(_ parameter: Parameter) {
        let key = ObjectIdentifier(parameter)
        let remaining = (pendingUses[key] ?? 1) - 1
        if remaining > 0 {
            pendingUses[key] = remaining
        } else {
            pendingUses[key] = nil
            parameter.hasFreshGradient = true
            parameter.hasCombinedGradient = false
            gradientReady?(parameter)
        }
    }
}
