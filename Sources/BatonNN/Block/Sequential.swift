public import BatonTensor

/// Blocks that run one after the other. Source: Gluon `nn.Sequential`.
public final class Sequential: Block {
    /// Named `0`, `1`, ….
    public init(prefix: String? = nil, _ blocks: [Block] = []) {
        super.init(BlockOutline(prefix: prefix, hint: "sequential"))
        for block in blocks { add(block) }
    }

    /// Appends a block.
    public func add(_ block: Block) { register(child: block) }

    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        children.reduce(input) { value, child in child.block(value, context) }
    }
}
