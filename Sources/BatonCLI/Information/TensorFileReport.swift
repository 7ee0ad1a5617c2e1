import Baton
import BatonChecks
import FoundationEssentials
import Glibc

/// What `baton inspect` says: the tensors a file holds, without reading their elements.
struct TensorFileReport: CommandReport {
    struct Entry: Encodable {
        let name: String
        let dtype: String
        /// Absent for an array without values.
        let shape: [Int]?
        let bytes: Int
    }

    let file: String
    /// `safetensors`, `params` or `npy`.
    let format: String
    /// Size of the whole file.
    let bytes: Int
    let tensors: [Entry]
    let metadata: [String: String]
    /// Bytes after the end of the content.
    let trailingBytes: Int

    /// Reads the header of a file: of an array by its name, of the others by the first bytes.
    ///
    /// - Throws: `FormatError` when the file is none of them, or its header is wrong.
    init(path: String) throws {
        file = path
        if path.hasSuffix(".npy") {
            let header = try NPYFile.header(path: path)
            format = "npy"
            tensors = [
                Entry(
                    name: "array", dtype: header.dtype.rawValue, shape: header.shape,
                    bytes: header.shape.reduce(header.dtype.byteCount, *))
            ]
            metadata = [:]
            trailingBytes = 0
        } else {
            let content = try TensorFile(path: path)
            format = content.format.rawValue
            tensors = content.entries.map { entry in
                Entry(name: entry.name, dtype: entry.dtype, shape: entry.shape, bytes: entry.byteCount)
            }
            metadata = content.metadata
            trailingBytes = content.trailingByteCount
        }
        var status = stat()
        bytes = stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// A table for a person.
    var text: String {
        let rows = tensors.map {
            [terminalText($0.name), $0.dtype, $0.shape.map { "\($0)" } ?? "no values", byteText($0.bytes)]
        }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let table = rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }
        let elements = tensors.reduce(0) { $0 + ($1.shape?.reduce(1, *) ?? 0) }
        let sum = "\(counted(tensors.count, "tensor")), \(counted(elements, "element")), \(byteText(bytes))"
        let notes = metadata.sorted { $0.key < $1.key }.map { "  \(terminalText($0.key)): \(terminalText($0.value))" }
        let rest = trailingBytes > 0 ? ["\(trailingBytes) bytes after the end, which belong to nothing"] : []
        return (["\(file): \(format), \(sum)"] + table + (notes.isEmpty ? [] : ["metadata:"] + notes) + rest)
            .map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    }
}
