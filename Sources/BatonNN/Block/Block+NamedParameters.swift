public import BatonTensor

/// Whose element type wins when a block is loaded with values of another type.
public enum DTypeSource: String, Sendable, CaseIterable {
    /// The parameter keeps its type, the values are converted.
    case current
    /// The parameter takes the type of the values.
    case saved
}

extension Block {
    /// Parameters by their place in the tree: the names of the children on the way, then the attribute, with dots
    /// between, as Gluon's `save_parameters` writes them (parity 3.3).
    ///
    /// - Parameter deduplicated: a parameter that stands in several places only once, under its last name.
    public final func namedParameters(deduplicated: Bool = false) -> [(name: String, parameter: Parameter)] {
        var result: [(name: String, parameter: Parameter)] = []
        appendNamedParameters(path: "", to: &result)
        guard deduplicated else { return result }
        var place: [ObjectIdentifier: Int] = [:]
        var unique: [(name: String, parameter: Parameter)] = []
        for entry in result {
            if let known = place[ObjectIdentifier(entry.parameter)] {
                unique[known].name = entry.name
            } else {
                place[ObjectIdentifier(entry.parameter)] = unique.count
                unique.append(entry)
            }
        }
        return unique
    }

    private func appendNamedParameters(path: String, to result: inout [(name: String, parameter: Parameter)]) {
        for (attribute, parameter) in parameters { result.append((path + structuralName(of: attribute), parameter)) }
        for (name, child) in children { child.appendNamedParameters(path: "\(path)\(name).", to: &result) }
    }

    /// Copies of the values by place in the tree, for a file or to go back to.
    ///
    /// - Throws: `NNError` naming a parameter that has no values.
    public final func parameterValues(deduplicated: Bool = false) throws(NNError) -> [(name: String, values: Tensor)] {
        var result: [(name: String, values: Tensor)] = []
        for (name, parameter) in namedParameters(deduplicated: deduplicated) {
            guard parameter.isInitialized else {
                throw NNError(
                    parameter.isDeferred
                        ? "Parameter \(parameter.name) has no values, because its shape \(parameter.shape) is not known yet; run a forward pass first."
                        : "Parameter \(parameter.name) has no values; call initialize on its block first.")
            }
            result.append((name, parameter.data.copy()))
        }
        return result
    }

    /// Takes over values by place in the tree, as `parameterValues` gives them; also into an uninitialised block, whose
    /// unknown shapes they complete.
    ///
    /// Nothing is changed unless everything fits. If no name has a dot and the names are not those of the tree, they
    /// are full names without the block's prefix, as Gluon's deprecated `save_params` wrote them; a leading `arg:` or
    /// `aux:` is dropped.
    ///
    /// - Parameters:
    ///   - allowMissing: parameters without values keep theirs.
    ///   - ignoreExtra: values without a parameter are passed over.
    ///   - castDType: values of another type are accepted; `dtypeSource` says which type stays.
    /// - Throws: `NNError` for a missing or extra name, another shape, or another type.
    /// - Source: Gluon `Block.load_parameters` (parity 1.6).
    public final func load(
        _ values: [(name: String, values: Tensor)], allowMissing: Bool = false, ignoreExtra: Bool = false,
        castDType: Bool = false, dtypeSource: DTypeSource = .current
    ) throws(NNError) {
        var targets: [String: Parameter] = [:]
        var names: [(name: String, parameter: Parameter)] = namedParameters()
        let given = ParameterValues.bare(values.map(\.name))
        let structural = Set(names.map(\.name))
        if !given.contains(where: { $0.contains(".") || structural.contains($0) }) {
            let own = params.prefix
            names = collectParameters().map {
                ($0.name.hasPrefix(own) ? String($0.name.dropFirst(own.count)) : $0.name, $0)
            }
            for parameter in collectParameters() { targets[parameter.name] = parameter }
        }
        for (name, parameter) in names { targets[name] = parameter }
        try ParameterValues(values: zip(given, values.map(\.values)).map { (name: $0, values: $1) }).fill(
            names, targets, allowMissing: allowMissing, ignoreExtra: ignoreExtra, castDType: castDType,
            dtypeSource: dtypeSource)
    }
}
