/// Pulls the tokens of a JSON text (RFC 8259) one by one, strictly.
///
/// A general parser would first build a tree, whose memory a hostile text multiplies, and would drop repeated members,
/// which the formats forbid. The caller asks for what it expects; the scanner never looks back,
/// never recurses and allocates nothing but the strings it returns.
struct JSONScanner {
    /// The kinds of JSON values.
    enum Kind: String { case object, array, string, number, literal }

    /// What is being read, for messages: a file, or a file and a tensor.
    var subject: String
    /// The error for a value of another kind than asked for.
    var mismatchCode: FormatError.Code
    private let context: Context

    /// What the text is, for errors.
    struct Context {
        /// The error for broken grammar.
        var grammarCode: FormatError.Code
        /// The text within its file, for instance "header".
        var text: String
        var remedy: String

        static let safetensors = Context(
            grammarCode: .headerNotJSON, text: "header",
            remedy: "the file is damaged or no safetensors file, so copy or save it again")
    }

    private let bytes: [UInt8]
    private(set) var offset = 0

    /// A scanner at the start of a text that is known to be UTF-8.
    init(
        validUTF8 bytes: [UInt8], subject: String, mismatchCode: FormatError.Code, context: Context = .safetensors
    ) {
        self.bytes = bytes
        self.subject = subject
        self.mismatchCode = mismatchCode
        self.context = context
    }

    /// Whether nothing but white space follows.
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return offset == bytes.count
    }

    /// The kind of the value that comes next.
    mutating func kind() throws(FormatError) -> Kind {
        skipSpace()
        switch byte {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case let digit? where digit == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit):
            return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return .literal
        default: throw grammarError(at: offset)
        }
    }

    /// Enters an object.
    mutating func beginObject() throws(FormatError) {
        try expect(.object)
        offset += 1
    }

    /// The next member's name, its colon taken; nil at the end of the object, its brace taken.
    mutating func nextKey(isFirst: Bool) throws(FormatError) -> String? {
        guard try hasNext(isFirst: isFirst, closing: UInt8(ascii: "}")) else { return nil }
        skipSpace()
        guard byte == UInt8(ascii: "\"") else { throw grammarError(at: offset) }
        let key = try string()
        skipSpace()
        guard byte == UInt8(ascii: ":") else { throw grammarError(at: offset) }
        offset += 1
        return key
    }

    /// Enters an array.
    mutating func beginArray() throws(FormatError) {
        try expect(.array)
        offset += 1
    }

    /// Whether an element follows, its comma taken; false at the end of the array, its bracket taken.
    mutating func hasElement(isFirst: Bool) throws(FormatError) -> Bool {
        try hasNext(isFirst: isFirst, closing: UInt8(ascii: "]"))
    }

    /// A string with its escapes resolved.
    mutating func string() throws(FormatError) -> String {
        try expect(.string)
        offset += 1
        var text: [UInt8] = []
        while let current = byte, current != UInt8(ascii: "\"") {
            if current < 0x20 { throw grammarError(at: offset) }
            offset += 1
            if current == UInt8(ascii: "\\") {
                text.append(contentsOf: String(try escape()).utf8)
            } else {
                text.append(current)
            }
        }
        guard byte != nil else { throw grammarError(at: offset) }
        offset += 1
        return String(decoding: text, as: UTF8.self)
    }

    /// A number as it is spelled.
    mutating func number() throws(FormatError) -> String {
        try expect(.number)
        let start = offset
        if byte == UInt8(ascii: "-") { offset += 1 }
        if byte == UInt8(ascii: "0") { offset += 1 } else { try digits() }
        if byte == UInt8(ascii: ".") {
            offset += 1
            try digits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            offset += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// Passes over a value of any kind, however deep, without recursion.
    mutating func skipValue() throws(FormatError) {
        // The closing bracket of every open array and object, and whether it has no element yet.
        var open: [(isObject: Bool, isFirst: Bool)] = []
        repeat {
            if let (isObject, isFirst) = open.last {
                let follows = isObject ? try nextKey(isFirst: isFirst) != nil : try hasElement(isFirst: isFirst)
                guard follows else {
                    open.removeLast()
                    continue
                }
                open[open.count - 1].isFirst = false
            }
            switch try kind() {
            case .object:
                try beginObject()
                open.append((true, true))
            case .array:
                try beginArray()
                open.append((false, true))
            case .string: _ = try string()
            case .number: _ = try number()
            case .literal: try literal()
            }
        } while !open.isEmpty
    }

    private mutating func literal() throws(FormatError) {
        for word in ["true", "false", "null"] where bytes[offset...].starts(with: word.utf8) {
            offset += word.utf8.count
            return
        }
        throw grammarError(at: offset)
    }

    private var byte: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let current = byte, current == 0x20 || current == 0x09 || current == 0x0A || current == 0x0D {
            offset += 1
        }
    }

    private mutating func expect(_ expected: Kind) throws(FormatError) {
        let found = try kind()
        guard found == expected else {
            throw FormatError(
                mismatchCode,
                "\(subject) has a JSON \(found.rawValue) at byte \(offset) of the \(context.text) where "
                    + "\(expected.rawValue) is expected; \(context.remedy).")
        }
    }

    /// The error for a text that breaks the grammar here, or at the given byte.
    func grammarError(at offset: Int? = nil) -> FormatError {
        FormatError(
            context.grammarCode,
            "\(subject) has a \(context.text) that is not JSON at byte \(offset ?? self.offset); \(context.remedy).")
    }

    private mutating func hasNext(isFirst: Bool, closing: UInt8) throws(FormatError) -> Bool {
        skipSpace()
        if byte == closing {
            offset += 1
            return false
        }
        if isFirst { return true }
        guard byte == UInt8(ascii: ",") else { throw grammarError(at: offset) }
        offset += 1
        return true
    }

    private mutating func digits() throws(FormatError) {
        let start = offset
        while let current = byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { offset += 1 }
        if offset == start { throw grammarError(at: offset) }
    }

    private mutating func escape() throws(FormatError) -> Character {
        let start = offset
        guard let letter = byte else { throw grammarError(at: offset) }
        offset += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(Unicode.Scalar(letter))
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw grammarError(at: start)
        }
        var code = try hexadecimal()
        if (0xD800..<0xDC00).contains(code) {
            guard byte == UInt8(ascii: "\\") else { throw grammarError(at: offset) }
            offset += 1
            guard byte == UInt8(ascii: "u") else { throw grammarError(at: offset) }
            offset += 1
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw grammarError(at: start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw grammarError(at: start) }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(FormatError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = byte.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw grammarError(at: offset)
            }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }
}
