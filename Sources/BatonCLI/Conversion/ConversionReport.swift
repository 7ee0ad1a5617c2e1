import Baton
import BatonChecks

/// What `baton convert` says it did.
struct ConversionReport: CommandReport {
    let input: String
    let output: String
    /// Format of the input.
    let from: String
    /// Format of the output.
    let to: String
    /// Convention of the names in the output.
    let names: String
    /// Tensors written.
    let tensors: Int
    /// How many of them have a new name.
    let renamed: Int
    /// Biases of zeros that were added.
    let addedBiases: Int
    /// Arrays of the input that have no values and are left out.
    let withoutValues: Int
    /// Entries of metadata that the output's format has no place for.
    let droppedMetadata: Int
    /// Bytes after the end of the input's content.
    let trailingBytes: Int

    /// Lines for a person: what was done, then what was left out or added.
    var text: String {
        let notes = [
            (addedBiases, "biases of zeros added"), (withoutValues, "arrays without values left out"),
            (droppedMetadata, "entries of metadata left out, for which .params has no place"),
            (trailingBytes, "bytes after the end of \(input) passed over"),
        ]
        let first = "\(output): \(to), \(counted(tensors, "tensor")) from \(from), \(renamed) renamed (\(names))"
        return ([first] + notes.filter { $0.0 > 0 }.map { "  \($0.0) \($0.1)" }).joined(separator: "\n")
    }
}

/// What `baton convert` says about a graph.
struct GraphConversionReport: CommandReport {
    let input: String
    let symbol: String
    let parameters: String

    /// One line for a person.
    var text: String { "\(symbol) and \(parameters): graph of \(input)" }
}
