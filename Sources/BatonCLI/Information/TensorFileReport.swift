import Baton
import FoundationEssentials
import Glibc

/// What `baton inspect` says: the tensors a file holds, without reading their elements.
struct TensorFileReport: Encodable {
    struct Entry: Encodable {
        let name: String
        let dtype: String
        let shape: [Int]
        let bytes: Int
    }

    let file: String
    /// `safetensors` or `npy`.
    let format: String
    /// Size of the whole file.
    let bytes: Int
    let tensors: [Entry]
    let metadata: [String: String]

    /// Reads the header of a file; the first bytes tell the format.
    ///
    /// - Throws: `FormatError` when the file is neither, or its header is wrong.
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
        } else {
            let header = try SafetensorsReader(path: path).header
            format = "safetensors"
            tensors = header.entries.map { entry in
                Entry(name: entry.name, dtype: entry.dtype.rawValue, shape: entry.shape, bytes: entry.range.count)
            }
            metadata = header.metadata
        }
        var status = stat()
        bytes = stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// A table for a person.
    var text: String {
        let rows = tensors.map { [printable($0.name), $0.dtype, "\($0.shape)", byteText($0.bytes)] }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let table = rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }
        let elements = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
        let sum = "\(tensors.count) tensor\(tensors.count == 1 ? "" : "s"), \(elements) elements, \(byteText(bytes))"
        let notes = metadata.sorted { $0.key < $1.key }.map { "  \(printable($0.key)): \(printable($0.value))" }
        return (["\(file): \(format), \(sum)"] + table + (notes.isEmpty ? [] : ["metadata:"] + notes))
            .map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    }

    /// Text out of a file without characters that would steer the terminal.
    private func printable(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: scalar.escaped(asASCII: true)
            default: String(scalar)
            }
        }.joined()
    }
}
