import BatonFormats
public import BatonNN
import BatonTensor

extension Block {
    /// Saves the parameters by their place in the tree, as Gluon's `save_parameters`: MXNet's `load_parameters` reads the
    /// file.
    ///
    /// - Parameters:
    ///   - path: ends in `.safetensors` for that format; anything else is MXNet's `.params`, byte for byte what MXNet
    ///     1.9.1 writes for the same block.
    ///   - deduplicated: writes a parameter that stands in several places once.
    /// - Throws: `NNError` naming a parameter without values; `FormatError` when the file cannot be written.
    /// - Source: Gluon `Block.save_parameters` (parity 1.6, 3.3).
    public final func saveParameters(to path: String, deduplicated: Bool = false) throws {
        var tensors = NamedTensors(origin: path)
        for (name, values) in try parameterValues(deduplicated: deduplicated) { tensors[name] = values }
        try tensors.writeParameters()
    }

    /// Saves the parameters by their full names without the block's prefix, as Gluon's deprecated `save_params`.
    ///
    /// - Throws: as `saveParameters(to:)`.
    @available(*, deprecated, message: "use saveParameters(to:), whose names do not depend on prefixes")
    public final func saveParams(to path: String) throws {
        var tensors = NamedTensors(origin: path)
        for parameter in collectParameters() {
            guard parameter.isInitialized else {
                throw NNError("Parameter \(parameter.name) has no values; call initialize on its block first.")
            }
            let name = parameter.name
            tensors[name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name] = parameter.data
        }
        try tensors.writeParameters()
    }

    /// Takes over the values of a `.params` or safetensors file that Baton or MXNet saved, also into a block that has
    /// none yet, whose unknown shapes they complete. Nothing is changed unless everything fits.
    ///
    /// - Parameters:
    ///   - allowMissing: parameters that are not in the file keep their values.
    ///   - ignoreExtra: values without a parameter are passed over.
    ///   - castDType: values of another type are accepted; `dtypeSource` says which type stays.
    /// - Throws: `FormatError` when the file is damaged; `NNError` naming the parameter that does not fit.
    /// - Source: Gluon `Block.load_parameters` (parity 1.6).
    public final func loadParameters(
        from path: String, allowMissing: Bool = false, ignoreExtra: Bool = false, castDType: Bool = false,
        dtypeSource: DTypeSource = .current
    ) throws {
        let tensors = try TensorFile(path: path).all()
        try load(
            tensors.entries.map { (name: $0.name, values: $0.tensor) }, allowMissing: allowMissing,
            ignoreExtra: ignoreExtra, castDType: castDType, dtypeSource: dtypeSource)
    }
}
