public import BatonTensor

extension Block {
    /// A table of the blocks that run in one forward pass, with the shapes of their outputs and the sizes of their own
    /// parameters, as Gluon's `summary` prints it (parity 1.6).
    ///
    /// Sequential containers have no line. A parameter that comes up again counts as shared.
    ///
    /// - Parameters:
    ///   - inputs: for the line `Input`: the input, then states.
    ///   - run: runs the forward pass once.
    /// - Throws: `NNError` if a block is hybridised, because a compiled block does not run its parts one by one.
    public final func summary(of inputs: [Variable], _ run: () -> Void) throws(NNError) -> String {
        var rows: [(name: String, shapes: String, count: Int)] = [("Input", Self.shapes(inputs), 0)]
        var seen: Set<ObjectIdentifier> = []
        var sizes = (total: 0, trainable: 0, shared: 0)
        var handles: [HookHandle] = []
        var hybridized: String?
        apply { block in
            if (block as? HybridBlock)?.isHybridized == true { hybridized = hybridized ?? block.name }
            if block is Sequential || block is HybridSequential { return }
            handles.append(
                block.registerForwardHook { block, _, outputs in
                    var own = 0
                    for (_, parameter) in block.parameters {
                        own += parameter.count
                        sizes.total += parameter.count
                        if parameter.gradientRequirement != .null { sizes.trainable += parameter.count }
                        if !seen.insert(ObjectIdentifier(parameter)).inserted { sizes.shared += parameter.count }
                    }
                    rows.append(("\(type(of: block))-\(rows.count)", Self.shapes(outputs), own))
                })
        }
        defer { for handle in handles { handle.detach() } }
        if let hybridized {
            throw NNError("\(hybridized) is hybridised, so its parts do not run one by one; ask for the summary first.")
        }
        run()
        let rule = String(repeating: "-", count: 80)
        var lines = [rule, Self.line("Layer (type)", "Output Shape", "Param #"), String(repeating: "=", count: 80)]
        lines += rows.map { Self.line($0.name, $0.shapes, String($0.count)) }
        lines += [
            String(repeating: "=", count: 80), "Parameters in forward computation graph, duplicate included",
            "   Total params: \(sizes.total)", "   Trainable params: \(sizes.trainable)",
            "   Non-trainable params: \(sizes.total - sizes.trainable)",
            "Shared params in forward computation graph: \(sizes.shared)",
            "Unique parameters in model: \(sizes.total - sizes.shared)", rule,
        ]
        return lines.joined(separator: "\n")
    }

    /// The table for one forward pass on one input; see `summary(of:_:)`.
    ///
    /// - Throws: `NNError` if the block or one inside it is hybridised, since its parts then do not run one by one.
    public final func summary(_ input: Variable, _ context: ForwardContext) throws(NNError) -> String {
        try summary(of: [input]) { _ = self(input, context) }
    }

    private static func line(_ name: String, _ shapes: String, _ count: String) -> String {
        "\(padded(name, 20))  \(padded(shapes, 42)) \(padded(count, 15))"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// `(2, 3, 3), [(1, 3, 3), (1, 3, 3)]`: the first value, then the others as a list.
    private static func shapes(_ variables: [Variable]) -> String {
        let texts = variables.map { variable in
            let sizes = variable.shape.map(String.init).joined(separator: ", ")
            return "(\(sizes)\(variable.shape.count == 1 ? "," : ""))"
        }
        guard let first = texts.first, texts.count > 1 else { return texts.first ?? "" }
        return "\(first), [\(texts.dropFirst().joined(separator: ", "))]"
    }
}
