public import BatonFormats

/// Weights under another library's names. No element is touched: PyTorch, Gluon and Baton stack the gates in the same
/// order (LSTM i, f, g, o; GRU r, z, n with the reset after the product) and keep both biases, so a tensor that is
/// renamed, and renamed back, is the same bit for bit.
///
/// | Tensor | PyTorch | Gluon, full names | Gluon, saved block |
/// |---|---|---|---|
/// | layer 1, reverse, input weight | `rnn.weight_ih_l1_reverse` | `rnn_r1_i2h_weight` | `rnn._unfused.1.r_cell.i2h_weight` |
/// | a cell's hidden bias | `cell.bias_hh` | `cell_h2h_bias` | `cell.h2h_bias` |
/// | projection | `weight_hr_l0` | `l0_h2r_weight` | `_unfused.0.h2r_weight` |
/// | any other | kept | kept | kept |
///
/// Gluon's layers have biases always, so a PyTorch stack saved without receives zeros. MXNet's prefixes `arg:` and
/// `aux:` are dropped. Source: PyTorch `nn.RNNBase`; Gluon `rnn_layer.py` (parity 3.3).
public struct WeightRenaming {
    /// The tensors under their new names; a stack's in Gluon's order, in the place of its first one.
    public let tensors: NamedTensors
    /// How many have another name than before.
    public let renamedCount: Int
    /// How many biases of zeros were added.
    public let addedBiasCount: Int

    /// Renames.
    ///
    /// - Parameters:
    ///   - convention: how the new names are built.
    ///   - prefix: what the names of recurrent layers begin with, instead of what they begin with now.
    /// - Throws: `ModelIOError` when two tensors would bear the same name, or a prefix is given for none or several stacks.
    public init(
        _ source: NamedTensors, to convention: RecurrentTensorName.Convention, prefix: String? = nil
    ) throws(ModelIOError) {
        let places = source.entries.map { entry in
            Place(bare: entry.name.withoutMXNetPrefix, original: entry.name)
        }
        let stacks = Dictionary(grouping: places.filter { $0.stack != nil }, by: \.stack)
        if let prefix, stacks.isEmpty {
            throw ModelIOError(
                "\(source.origin) holds no recurrent stack whose names could begin with '\(prefix)'; convert it without a prefix."
            )
        }
        if prefix != nil && stacks.count > 1 {
            throw ModelIOError(
                "\(source.origin) holds \(stacks.count) recurrent stacks, which cannot all have one prefix; "
                    + "convert them without.")
        }
        var result = Result(origin: source.origin, metadata: source.metadata)
        var done: Set<Stack> = []
        for place in places {
            guard let stack = place.stack else {
                let name = Self.cellName(place.bare, convention) ?? place.bare
                try result.put(source[place.original], name, from: place.original)
                continue
            }
            guard done.insert(stack).inserted, let members = stacks[stack] else { continue }
            try result.put(
                source, members.compactMap { member in member.parts.map { ($0, member.original) } }, convention,
                prefix: prefix ?? Self.prefix(stack.prefix, for: convention))
        }
        tensors = result.tensors
        renamedCount = result.renamedCount
        addedBiasCount = result.addedBiasCount
    }

    private struct Stack: Hashable {
        let prefix: String
        let convention: RecurrentTensorName.Convention
    }

    private struct Place {
        let bare: String
        let original: String
        var parts: RecurrentTensorName? { RecurrentTensorName(bare) }
        var stack: Stack? { parts.map { Stack(prefix: $0.prefix, convention: $0.convention) } }
    }

    /// The same prefix with the separator that the convention uses: `rnn.` or `rnn_`.
    private static func prefix(_ prefix: String, for convention: RecurrentTensorName.Convention) -> String {
        guard let last = prefix.last, last == "." || last == "_" else { return prefix }
        return prefix.dropLast() + (convention == .gluon ? "_" : ".")
    }

    /// The new name of a recurrent cell's tensor; nil when it is none.
    private static func cellName(_ name: String, _ convention: RecurrentTensorName.Convention) -> String? {
        let (pyTorch, gluon) = (RecurrentTensorName.pyTorchRoles, RecurrentTensorName.gluonRoles)
        let target = convention == .pyTorch ? pyTorch : gluon
        for (word, role) in pyTorch + gluon where name.hasSuffix(word) {
            let start = String(name.dropLast(word.count))
            guard start.isEmpty || start.hasSuffix(".") || start.hasSuffix("_"),
                let spelled = target.first(where: { $0.role == role })?.name
            else { continue }
            return prefix(start, for: convention) + spelled
        }
        return nil
    }
}
