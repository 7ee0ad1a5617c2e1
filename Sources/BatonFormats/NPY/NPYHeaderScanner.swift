/// Reads the one form of Python dictionary an NPY header may be.
struct NPYHeaderScanner {
    /// The dictionary's three values.
    struct Description {
        var descr: String
        var isFortranOrder: Bool
        var shape: [Int]
    }

    private let file: String
    private let bytes: [UInt8]
    private var offset = 0

    init(file: String, text: [UInt8]) {
        self.file = file
        bytes = text
    }

    mutating func parse() throws(FormatError) -> Description {
        var descr: String?
        var isFortranOrder: Bool?
        var shape: [Int]?
        try expect("{")
        while !take("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where descr == nil: descr = try elementType()
            case "fortran_order" where isFortranOrder == nil: isFortranOrder = try boolean()
            case "shape" where shape == nil: shape = try tuple()
            case "descr", "fortran_order", "shape":
                throw FormatError(
                    .duplicateName, "\(file) has \(key) twice in its NPY header; save the array again with numpy.save.")
            default: throw malformed("an entry \(FormatError.quote(key)) the format does not define")
            }
            // The comma after the last entry is optional.
            if !take(",") {
                try expect("}")
                break
            }
        }
        skipSpace()
        guard offset == bytes.count else { throw malformed("text after its dictionary") }
        guard let descr, let isFortranOrder, let shape else {
            throw malformed("no descr, no fortran_order or no shape")
        }
        return Description(descr: descr, isFortranOrder: isFortranOrder, shape: shape)
    }

    private mutating func skipSpace() {
        while offset < bytes.count, bytes[offset] == 0x20 || (0x09...0x0D).contains(bytes[offset]) { offset += 1 }
    }

    /// Takes a word of punctuation if it comes next.
    private mutating func take(_ word: String) -> Bool {
        skipSpace()
        guard bytes[offset...].starts(with: word.utf8) else { return false }
        offset += word.utf8.count
        return true
    }

    private mutating func expect(_ word: String) throws(FormatError) {
        guard take(word) else { throw malformed("no '\(word)' at byte \(offset)") }
    }

    /// A Python string without escapes; no legal header has any.
    private mutating func string() throws(FormatError) -> String {
        skipSpace()
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "'") || bytes[offset] == UInt8(ascii: "\"") else {
            throw malformed("no quoted text at byte \(offset)")
        }
        let quote = bytes[offset]
        guard let end = bytes[(offset + 1)...].firstIndex(of: quote) else {
            throw malformed("an open quote at byte \(offset)")
        }
        let content = bytes[(offset + 1)..<end]
        guard content.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            throw malformed("an escaped or special character in the text at byte \(offset)")
        }
        offset = end + 1
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func elementType() throws(FormatError) -> String {
        guard !take("[") else {
            throw FormatError(
                .unsupportedDType,
                "\(file) holds records of several fields, and Baton reads <f4, <f8, <i4 and <i8; "
                    + "save each field as its own array.")
        }
        return try string()
    }

    private mutating func boolean() throws(FormatError) -> Bool {
        if take("True") { return true }
        try expect("False")
        return false
    }

    private mutating func tuple() throws(FormatError) -> [Int] {
        var dimensions: [Int] = []
        var hasComma = true
        try expect("(")
        while !take(")") {
            guard hasComma else { throw malformed("no ',' at byte \(offset)") }
            guard dimensions.count < TensorExtent.maximumRank else {
                throw FormatError(
                    .tooManyDimensions,
                    "\(file) has more than \(TensorExtent.maximumRank) dimensions; "
                        + "reshape the array before it is saved."
                )
            }
            dimensions.append(try dimension())
            hasComma = take(",")
        }
        // In Python "(3)" is a number, not a tuple.
        guard dimensions.count != 1 || hasComma else { throw malformed("a shape that is no tuple") }
        return dimensions
    }

    private mutating func dimension() throws(FormatError) -> Int {
        guard !take("-") else {
            throw FormatError(
                .negativeDimension, "\(file) has a negative dimension; save the array again with numpy.save.")
        }
        skipSpace()
        let digits = bytes[offset...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { throw malformed("no number at byte \(offset)") }
        let spelled = String(decoding: digits, as: UTF8.self)
        guard let number = Int(spelled) else {
            throw FormatError(
                .sizeOverflow,
                "\(file) has the dimension \(FormatError.quote(spelled)), more than 63 bits can hold; "
                    + "save the array again with numpy.save.")
        }
        offset += digits.count
        return number
    }

    private func malformed(_ finding: String) -> FormatError {
        FormatError(
            .malformedHeader,
            "\(file) has an NPY header with \(finding) where "
                + "{'descr': …, 'fortran_order': …, 'shape': …} is expected; save the array again with numpy.save.")
    }
}
