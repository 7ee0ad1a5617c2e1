/// What a tensor of a recurrent stack is called in a weights file: the place in the stack, taken apart.
///
/// | Convention | Name of i2h_weight in layer 1, reverse |
/// |---|---|
/// | `pyTorch` | `lstm.weight_ih_l1_reverse` |
/// | `gluon` | `lstm0_r1_i2h_weight` |
/// | `gluonUnfused` | `1._unfused.1.r_cell.i2h_weight`; one direction only: `1._unfused.1.i2h_weight` |
///
/// What comes before (`lstm.`, `lstm0_`, `1.`) is the prefix and may be empty. Source: PyTorch `nn.RNNBase`; Gluon
/// `rnn_layer.py` (parity 3.3).
public struct RecurrentTensorName: Hashable, Sendable {
    /// How names are built.
    public enum Convention: String, Hashable, Sendable, CaseIterable {
        case pyTorch, gluon, gluonUnfused
    }

    /// Which parameter of one layer and direction.
    public enum Role: String, Hashable, Sendable, CaseIterable {
        case inputWeight, hiddenWeight, inputBias, hiddenBias
        /// Projects the h of an LSTM.
        case projectionWeight
    }

    /// Everything before the recurrent part of the name.
    public let prefix: String
    /// How the name is built.
    public let convention: Convention
    /// Layer number, from 0.
    public let layer: Int
    /// Whether it belongs to the direction that runs backwards in time.
    public let isReverse: Bool
    /// Which parameter.
    public let role: Role

    /// Takes a name apart; nil when it is none of a recurrent stack.
    public init?(_ name: String) {
        if let found = Self.pyTorch(name) ?? Self.gluon(name) { self = found } else { return nil }
    }

    init(prefix: String, convention: Convention, layer: Int, isReverse: Bool, role: Role) {
        self.prefix = prefix
        self.convention = convention
        self.layer = layer
        self.isReverse = isReverse
        self.role = role
    }

    static let pyTorchRoles: [(name: String, role: Role)] = [
        ("weight_ih", .inputWeight), ("weight_hh", .hiddenWeight), ("bias_ih", .inputBias), ("bias_hh", .hiddenBias),
        ("weight_hr", .projectionWeight),
    ]
    static let gluonRoles: [(name: String, role: Role)] = [
        ("i2h_weight", .inputWeight), ("h2h_weight", .hiddenWeight), ("i2h_bias", .inputBias),
        ("h2h_bias", .hiddenBias), ("h2r_weight", .projectionWeight),
    ]

    /// `<prefix><role>_l<layer>[_reverse]`
    private static func pyTorch(_ name: String) -> RecurrentTensorName? {
        var rest = Substring(name)
        let isReverse = rest.removeSuffix("_reverse")
        guard let layer = rest.removeTrailingNumber(), rest.removeSuffix("_l") else { return nil }
        for (text, role) in pyTorchRoles where rest.removeSuffix(text) {
            guard rest.isPrefix else { return nil }
            return RecurrentTensorName(
                prefix: String(rest), convention: .pyTorch, layer: layer, isReverse: isReverse, role: role)
        }
        return nil
    }

    /// `<prefix><l|r><layer>_<role>` or `<prefix>_unfused.<layer>.[l_cell.|r_cell.]<role>`
    private static func gluon(_ name: String) -> RecurrentTensorName? {
        var rest = Substring(name)
        guard let role = gluonRoles.first(where: { rest.removeSuffix($0.name) })?.role else { return nil }
        if rest.removeSuffix("_") {
            guard let layer = rest.removeTrailingNumber() else { return nil }
            let isReverse = rest.removeSuffix("r")
            guard isReverse || rest.removeSuffix("l"), rest.isPrefix else { return nil }
            return RecurrentTensorName(
                prefix: String(rest), convention: .gluon, layer: layer, isReverse: isReverse, role: role)
        }
        let isReverse = rest.removeSuffix(".r_cell.")
        guard isReverse || rest.removeSuffix(".l_cell.") || rest.removeSuffix("."),
            let layer = rest.removeTrailingNumber(), rest.removeSuffix("_unfused."), rest.isPrefix
        else { return nil }
        return RecurrentTensorName(
            prefix: String(rest), convention: .gluonUnfused, layer: layer, isReverse: isReverse, role: role)
    }
}

extension Substring {
    /// Removes a suffix and says whether it was there.
    fileprivate mutating func removeSuffix(_ suffix: String) -> Bool {
        guard hasSuffix(suffix) else { return false }
        removeLast(suffix.count)
        return true
    }

    /// Removes the decimal number at the end; nil, and nothing removed, when there is none of reasonable size.
    fileprivate mutating func removeTrailingNumber() -> Int? {
        let digits = reversed().prefix { $0.isASCII && $0.isNumber }.reversed()
        guard let number = Int(String(digits)), number < 1_000_000 else { return nil }
        removeLast(digits.count)
        return number
    }

    /// Whether a name may begin like this: with nothing, or with something that ends in a separator.
    fileprivate var isPrefix: Bool { last.map { !$0.isLetter && !$0.isNumber } ?? true }
}
