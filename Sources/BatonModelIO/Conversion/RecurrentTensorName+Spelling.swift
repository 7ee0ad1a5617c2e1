extension RecurrentTensorName {
    /// The name under a convention, the inverse of `init(_:)`.
    ///
    /// - Parameters:
    ///   - convention: how the name is built.
    ///   - prefix: what comes before, its separator included.
    ///   - isBidirectional: whether the stack has both directions; unfused names spell the forward one only then.
    public func spelled(_ convention: Convention, prefix: String, isBidirectional: Bool) -> String {
        switch convention {
        case .pyTorch: return "\(prefix)\(word(Self.pyTorchRoles))_l\(layer)\(isReverse ? "_reverse" : "")"
        case .gluon: return "\(prefix)\(isReverse ? "r" : "l")\(layer)_\(word(Self.gluonRoles))"
        case .gluonUnfused:
            let cell = isReverse ? "r_cell." : isBidirectional ? "l_cell." : ""
            return "\(prefix)_unfused.\(layer).\(cell)\(word(Self.gluonRoles))"
        }
    }

    private func word(_ table: [(name: String, role: Role)]) -> String {
        // The tables name every role.
        table.first { $0.role == role }?.name ?? ""
    }
}
