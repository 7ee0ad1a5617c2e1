/// The hash that stands for the values of a model in logs, checkpoints and layout checks.
///
/// For each parameter in the order of the names (Swift's `String` order, which for ASCII is byte order):
/// dᵢ = XXH64(little-endian bytes of the row-major values, seed = XXH64(UTF-8 name, seed = 0)). The result is XXH64 of the
/// sequence of the dᵢ as little-endian 64-bit words, seed 0. Memory order, padding, and process count have no
/// influence.
public enum ParameterHash {
    /// The hash of a model that one process holds.
    ///
    /// - Precondition: all parameters are initialised.
    public static func hash(_ parameters: [Parameter]) -> UInt64 {
        combine(parameters.sorted { $0.name < $1.name }.map(digest))
    }

    /// dᵢ of one parameter.
    public static func digest(_ parameter: Parameter) -> UInt64 {
        let data = parameter.data
        return XXHash64.hash(
            UnsafeRawBufferPointer(start: data.rawPointer, count: data.byteCount), seed: XXHash64.hash(parameter.name))
    }

    /// The hash of a model, from the digests of its parameters in the order of their names.
    public static func combine(_ digests: [UInt64]) -> UInt64 {
        digests.map(\.littleEndian).withUnsafeBytes { XXHash64.hash($0) }
    }
}
