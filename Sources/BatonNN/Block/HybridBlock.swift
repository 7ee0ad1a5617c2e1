import BatonChecks

/// A block whose children are all hybrid, so that the tree below it can be compiled as one.
///
/// Every operation of Baton is recorded as it runs, so hybridising never changes numbers. It lets stacks of plain
/// recurrent cells run on the fused kernels of the layers, and it marks what may be exported as one graph.
/// Source: Gluon `HybridBlock` (parity 1.6).
open class HybridBlock: Block {
    /// Whether the block was hybridised.
    public private(set) var isHybridized = false

    /// Marks this block and those below it.
    open override func hybridize(active: Bool = true) {
        isHybridized = active
        super.hybridize(active: active)
    }

    /// Adds a child.
    ///
    /// - Precondition: a hybrid block.
    public override func register(child: Block, name: String? = nil) {
        require(
            child is HybridBlock,
            "\(self.name): a child of a HybridBlock must be a HybridBlock, got \(type(of: child)); derive it from HybridBlock or use a Block as the parent"
        )
        super.register(child: child, name: name)
    }
}
