/// Turns the JSON of a safetensors header into descriptions, checked for form but not yet against the file's size.
struct SafetensorsHeaderParser {
    /// A tensor as the header describes it; offsets count from the start of the data.
    struct RawEntry {
        let name: String
        let dtype: SafetensorsDType
        let shape: [Int]
        let begin: Int
        let end: Int
    }

    private let file: String
    private var scanner: JSONScanner

    init(file: String, text: [UInt8]) {
        self.file = file
        scanner = JSONScanner(validUTF8: text, subject: file, mismatchCode: .headerNotObject)
    }

    /// The whole header.
    mutating func parse() throws(FormatError) -> (tensors: [RawEntry], metadata: [String: String]) {
        var tensors: [RawEntry] = []
        var metadata: [String: String] = [:]
        var names: Set<String> = []
        try scanner.beginObject()
        while let name = try scanner.nextKey(isFirst: names.isEmpty) {
            guard names.insert(name).inserted else { throw duplicate(name, in: "the header") }
            if name == SafetensorsHeader.metadataName {
                metadata = try parseMetadata()
            } else {
                tensors.append(try parseEntry(name))
            }
            scanner.subject = file
        }
        guard scanner.isAtEnd() else { throw scanner.grammarError() }
        return (tensors, metadata)
    }

    private mutating func parseMetadata() throws(FormatError) -> [String: String] {
        scanner.subject = "\(file): \(SafetensorsHeader.metadataName)"
        scanner.mismatchCode = .malformedMetadata
        var metadata: [String: String] = [:]
        try scanner.beginObject()
        while let key = try scanner.nextKey(isFirst: metadata.isEmpty) {
            let value = try scanner.string()
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw duplicate(key, in: SafetensorsHeader.metadataName)
            }
        }
        return metadata
    }

    private mutating func parseEntry(_ name: String) throws(FormatError) -> RawEntry {
        let subject = "\(file): tensor \(FormatError.quote(name))"
        scanner.subject = subject
        scanner.mismatchCode = .malformedEntry
        var dtype: SafetensorsDType?
        var shape: [Int]?
        var offsets: [Int]?
        var members: Set<String> = []
        try scanner.beginObject()
        while let member = try scanner.nextKey(isFirst: members.isEmpty) {
            guard members.insert(member).inserted else {
                throw duplicate(member, in: "tensor \(FormatError.quote(name))")
            }
            switch member {
            case "dtype":
                let spelled = try scanner.string()
                dtype = SafetensorsDType(rawValue: spelled)
                if dtype == nil {
                    throw FormatError(
                        .unknownDType,
                        "\(subject) has dtype \(FormatError.quote(spelled)), which is none of "
                            + SafetensorsDType.allCases.map(\.rawValue).joined(separator: ", ")
                            + "; convert it to F32 where it was saved.")
                }
            case "shape":
                shape = try parseIntegers(
                    subject, "shape", limit: TensorExtent.maximumRank, excess: .tooManyDimensions,
                    negative: .negativeDimension, overflow: .sizeOverflow)
            case "data_offsets":
                offsets = try parseIntegers(
                    subject, "data_offsets", limit: 2, excess: .malformedEntry,
                    negative: .malformedEntry, overflow: .offsetsBeyondFile)
            default:
                throw malformed(subject, "has a member \(FormatError.quote(member)) the format does not define")
            }
        }
        guard let dtype, let shape, let offsets, offsets.count == 2 else {
            throw malformed(subject, "lacks dtype, shape or the two numbers of data_offsets")
        }
        return RawEntry(name: name, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1])
    }

    /// An array of at most `limit` whole numbers that are not negative.
    private mutating func parseIntegers(
        _ subject: String, _ member: String, limit: Int,
        excess: FormatError.Code, negative: FormatError.Code, overflow: FormatError.Code
    ) throws(FormatError) -> [Int] {
        var numbers: [Int] = []
        try scanner.beginArray()
        while try scanner.hasElement(isFirst: numbers.isEmpty) {
            guard numbers.count < limit else {
                throw malformed(subject, "has more than \(limit) numbers in \(member)", code: excess)
            }
            let spelled = try scanner.number()
            guard
                spelled.utf8.allSatisfy({
                    $0 == UInt8(ascii: "-") || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
                })
            else { throw malformed(subject, "has \(FormatError.quote(spelled)) in \(member), not a whole number") }
            if spelled.hasPrefix("-") {
                throw malformed(
                    subject, "has the negative number \(FormatError.quote(spelled)) in \(member)", code: negative)
            }
            guard let number = Int(spelled) else {
                throw malformed(
                    subject, "has \(FormatError.quote(spelled)) in \(member), more than 63 bits can hold",
                    code: overflow)
            }
            numbers.append(number)
        }
        return numbers
    }

    private func duplicate(_ name: String, in place: String) -> FormatError {
        FormatError(
            .duplicateName,
            "\(file) has the name \(FormatError.quote(name)) twice in \(place); save the file again with unique names.")
    }

    private func malformed(
        _ subject: String, _ finding: String, code: FormatError.Code = .malformedEntry
    ) -> FormatError {
        FormatError(code, "\(subject) \(finding); the file is damaged, so copy or save it again.")
    }
}
