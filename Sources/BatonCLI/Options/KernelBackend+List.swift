import ArgumentParser
import Baton

extension KernelBackend {
    /// The backends that a flag names, joined by commas; each once.
    static func list(_ text: String) throws -> [KernelBackend] {
        var result: [KernelBackend] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let backend = KernelBackend(rawValue: String(name)) else {
                throw ValidationError("'\(name)' is neither packed nor blas.")
            }
            if !result.contains(backend) { result.append(backend) }
        }
        return result
    }
}
