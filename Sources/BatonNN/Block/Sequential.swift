public import BatonTensor

/// Blocks that run one after the other. Source: Gluon `nn.Sequential`.
public final class Sequential: Block {
    /// Named `0`, `1`, ….
    public init(prefix: String? = nil, params: ParameterDict? = nil, _ blocks: [Block] = []) {
        super.init(BlockOutline(prefix: prefix, hint: "sequential", params: params))
        for block in blocks { add(block) }
    }

    /// Appends a block.
    public func add(_ block: Block) { register(child: block) }

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

extension Block {
    /// The children, one after the other.
    func runChildren(_ input: Variable, _ context: ForwardContext) -> Variable {
        children.reduce(input) { value, child in child.block(value, context) }
    }

    /// The shape that the children make of one, one after the other.
    func inferChildren(_ input: [Int]) throws(NNError) -> [Int] {
        var shape = input
        for (_, child) in children { shape = try child.inferShape(shape) }
        return shape
    }
}
