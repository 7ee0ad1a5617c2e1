/// What a process that a mistake has ended said.
public enum Complaint {
    /// nil if the output has all of the parts, else the first that it lacks, and the output.
    public static func missing(_ parts: String..., in output: [UInt8]?) -> String? {
        let text = String(decoding: output ?? [], as: UTF8.self)
        return parts.first { !text.contains($0) }.map { "'\($0)' is not said in: \(text)" }
    }
}
