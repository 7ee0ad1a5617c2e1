import BatonFormats

extension NamedTensors {
    /// Without MXNet's `arg:` and `aux:`; of two names that become one the later wins, as in MXNet.
    func withoutMXNetPrefixes() -> NamedTensors {
        var result = NamedTensors(origin: origin, metadata: metadata)
        for (name, tensor) in entries { result[name.withoutMXNetPrefix] = tensor }
        return result
    }
}

extension String {
    /// Without the `arg:` or `aux:` that MXNet puts before names of parameters in files.
    var withoutMXNetPrefix: String { hasPrefix("arg:") || hasPrefix("aux:") ? String(dropFirst(4)) : self }
}
