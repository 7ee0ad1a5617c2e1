public import BatonTensor

/// Hybrid blocks that run one after the other. Source: Gluon `nn.HybridSequential`.
public final class HybridSequential: HybridBlock {
    /// Named `0`, `1`, ….
    public init(prefix: String? = nil, params: ParameterDict? = nil, _ blocks: [HybridBlock] = []) {
        super.init(BlockOutline(prefix: prefix, hint: "hybridsequential", params: params))
        for block in blocks { add(block) }
    }

    /// Appends a block.
    public func add(_ block: HybridBlock) { register(child: block) }

    /// Number of blocks.
    public var count: Int { children.count }

    /// A block by position.
    public subscript(index: Int) -> Block { children[index].block }

    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        runChildren(input, context)
    }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] {
        try inferChildren(input)
    }
}
