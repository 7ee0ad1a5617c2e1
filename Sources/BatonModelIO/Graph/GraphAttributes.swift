import BatonChecks
import BatonTensor

/// The arguments of a node, taken one by one; what is left over at the end is refused, for ignoring an argument would
/// change the result.
struct GraphAttributes {
    private var values: [String: String]

    init(_ values: [String: String]) {
        // Framed names are notes about the node: sizes of a layout, learning rates.
        self.values = values.filter { !($0.key.hasPrefix("__") && $0.key.hasSuffix("__")) }
    }

    /// An argument as text; `None` is none.
    mutating func text(_ name: String) -> String? {
        guard let value = values.removeValue(forKey: name), value != "None" else { return nil }
        return value
    }

    /// Arguments that change how something is computed, not what.
    mutating func ignore(_ names: String...) {
        for name in names { values[name] = nil }
    }

    /// Sizes and places beyond it are no tensor's.
    private static let integers = -Int(Int32.max)...Int(Int32.max)

    mutating func integer(_ name: String, default standard: Int? = nil) throws -> Int {
        guard let value = text(name) else {
            guard let standard else { throw GraphMismatch("lacks the argument \(name)") }
            return standard
        }
        guard let number = Int(value), Self.integers.contains(number) else {
            throw wrong(name, value, "a whole number")
        }
        return number
    }

    mutating func optionalInteger(_ name: String) throws -> Int? {
        guard let value = text(name) else { return nil }
        guard let number = Int(value), Self.integers.contains(number) else {
            throw wrong(name, value, "a whole number")
        }
        return number
    }

    mutating func number(_ name: String, default standard: Double) throws -> Double {
        guard let value = text(name) else { return standard }
        guard let number = Double(value), number.isFinite else { throw wrong(name, value, "a number") }
        return number
    }

    mutating func optionalNumber(_ name: String) throws -> Double? {
        guard let value = text(name) else { return nil }
        guard let number = Double(value) else { throw wrong(name, value, "a number") }
        return number
    }

    mutating func boolean(_ name: String, default standard: Bool) throws -> Bool {
        guard let value = text(name) else { return standard }
        switch value {
        case "True", "true", "1": return true
        case "False", "false", "0": return false
        default: throw wrong(name, value, "True or False")
        }
    }

    /// `(1, 0, 20)`, `[3]` or `-1`.
    mutating func tuple(_ name: String) throws -> [Int]? {
        guard let value = text(name) else { return nil }
        let inside = value.drop { $0 == "(" || $0 == "[" }.prefix { $0 != ")" && $0 != "]" }
        let numbers = inside.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
        let result = numbers.compactMap { Int($0) }
        guard result.count == numbers.count, result.count <= 16, result.allSatisfy(Self.integers.contains) else {
            throw wrong(name, value, "a tuple of whole numbers")
        }
        return result
    }

    mutating func dtype(_ name: String) throws -> DType? {
        guard let value = text(name) else { return nil }
        guard let dtype = DType(rawValue: value) else { throw wrong(name, value, "float32, float64, int32 or int64") }
        return dtype
    }

    /// Throws if an argument was not taken.
    func finish() throws {
        guard let name = values.keys.min() else { return }
        throw GraphMismatch("has the argument '\(printable(name))', which Baton does not know")
    }

    private func wrong(_ name: String, _ value: String, _ kind: String) -> GraphMismatch {
        GraphMismatch("has \(name) = '\(printable(value))' where \(kind) is expected")
    }
}
