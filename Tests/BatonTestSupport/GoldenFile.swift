public import Foundation

/// A reference result made by another program: named tensors and remarks.
///
/// The file is a few lines of text, then raw little-endian values in the order of the lines:
/// ```
/// golden 1
/// note library torch 2.15.0
/// tensor input f32 4 3 5
/// end
/// ```
public struct GoldenFile {
    public struct Tensor {
        public let shape: [Int]
        public let values: [Double]
        /// "f32" or "f64"; values are widened.
        public let type: String
    }

    /// What is wrong with a file.
    public struct Problem: Error, CustomStringConvertible {
        public let description: String
    }

    public private(set) var notes: [String: String] = [:]
    public private(set) var tensors: [String: Tensor] = [:]

    public init(_ url: URL) throws {
        try self.init(Data(contentsOf: url), name: url.lastPathComponent)
    }

    public init(_ data: Data, name: String) throws {
        let bytes = [UInt8](data)
        var position = 0
        var declared: [(name: String, type: String, shape: [Int])] = []
        var isFirst = true
        while true {
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
                throw Problem(description: "\(name): the header has no line \"end\"")
            }
            let line = String(decoding: bytes[position..<end], as: UTF8.self)
            position = end + 1
            if isFirst {
                guard line == "golden 1" else { throw Problem(description: "\(name): not a golden file, version 1") }
                isFirst = false
                continue
            }
            if line == "end" { break }
            let words = line.split(separator: " ").map(String.init)
            if words.count >= 3, words[0] == "note" {
                notes[words[1]] = words.dropFirst(2).joined(separator: " ")
            } else if words.count >= 3, words[0] == "tensor", ["f32", "f64"].contains(words[2]) {
                let shape = words.dropFirst(3).compactMap { Int($0) }
                guard shape.count == words.count - 3, shape.allSatisfy({ $0 >= 0 }) else {
                    throw Problem(description: "\(name): bad shape in \"\(line)\"")
                }
                declared.append((words[1], words[2], shape))
            } else {
                throw Problem(description: "\(name): cannot read the line \"\(line)\"")
            }
        }
        for (tensor, type, shape) in declared {
            let count = shape.reduce(1, *)
            let size = type == "f32" ? 4 : 8
            guard position + count * size <= bytes.count else {
                throw Problem(description: "\(name): ends inside tensor \(tensor)")
            }
            let values = (0..<count).map { index -> Double in
                let start = position + index * size
                let bits = (0..<size).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
                return type == "f32" ? Double(Float(bitPattern: UInt32(bits))) : Double(bitPattern: bits)
            }
            tensors[tensor] = Tensor(shape: shape, values: values, type: type)
            position += count * size
        }
        guard position == bytes.count else {
            throw Problem(description: "\(name): \(bytes.count - position) bytes after the last tensor")
        }
    }

    /// The tensor of that name, which must be there.
    public func tensor(_ name: String) throws -> Tensor {
        guard let tensor = tensors[name] else {
            throw Problem(description: "no tensor \"\(name)\"; there are \(tensors.keys.sorted())")
        }
        return tensor
    }
}
