import BatonFormats
public import BatonNN
import BatonTensor

extension ParameterDict {
    /// Saves the parameters by their full names, as Gluon's `ParameterDict.save`.
    ///
    /// - Parameters:
    ///   - path: ends in `.safetensors` for that format; anything else is MXNet's `.params`.
    ///   - stripPrefix: dropped from the start of every name.
    /// - Throws: `NNError` naming a parameter without values, or whose name does not begin with the prefix; `FormatError`
    ///   when the file cannot be written.
    /// - Source: Gluon `ParameterDict.save` (parity 1.9).
    public func save(to path: String, stripPrefix: String = "") throws {
        var tensors = NamedTensors(origin: path)
        for name in names {
            guard let parameter = self[name] else { continue }
            guard name.hasPrefix(stripPrefix) else {
                throw NNError(
                    "Parameter \(name) does not begin with '\(stripPrefix)'; strip a prefix that all names have.")
            }
            guard parameter.isInitialized else {
                throw NNError("Parameter \(name) has no values; call initialize first.")
            }
            tensors[String(name.dropFirst(stripPrefix.count))] = parameter.data
        }
        try tensors.writeParameters()
    }

    /// Takes over the values of a `.params` or safetensors file, as Gluon's `ParameterDict.load`. Nothing is changed unless
    /// everything fits.
    ///
    /// - Parameter restorePrefix: put before every name of the file; the others as of `Block.loadParameters`.
    /// - Throws: `FormatError` when the file is damaged; `NNError` naming the parameter that does not fit.
    /// - Source: Gluon `ParameterDict.load` (parity 1.9).
    public func load(
        from path: String, allowMissing: Bool = false, ignoreExtra: Bool = false, restorePrefix: String = "",
        castDType: Bool = false, dtypeSource: DTypeSource = .current
    ) throws {
        try load(
            TensorFile(path: path).all().entries.map { (name: $0.name, values: $0.tensor) }, allowMissing: allowMissing,
            ignoreExtra: ignoreExtra, restorePrefix: restorePrefix, castDType: castDType, dtypeSource: dtypeSource)
    }
}

extension NamedTensors {
    /// Writes them where they say they come from, in the format of the name's ending.
    func writeParameters() throws(FormatError) {
        if origin.hasSuffix(".safetensors") {
            try SafetensorsWriter.write(self, to: origin)
        } else {
            try MXNetParamsWriter.write(self, to: origin)
        }
    }
}
