extension MXNetParamsHeader {
    private static let damage = "the file is damaged or no .params file, so copy or save it again"

    /// Reads and checks a file's descriptions; the elements are passed over.
    init(_ source: ByteSource) throws(FormatError) {
        let file = source.name
        var cursor = ByteCursor(source, remedy: Self.damage)
        let magic: UInt64 = try cursor.integer("the magic number")
        guard magic == Self.listMagic else {
            throw FormatError(.notMXNetParams, "\(file) does not start with MXNet's number 0x112; \(Self.damage).")
        }
        _ = try cursor.integer("the reserved word", as: UInt64.self)
        // No array is shorter than its first word.
        let arrayCount = try Self.count(&cursor, of: "arrays", byteCountOfEach: 4)
        var arrays: [Array] = []
        for index in 0..<arrayCount { arrays.append(try Self.array(&cursor, index: index)) }
        let nameCount = try Self.count(&cursor, of: "names", byteCountOfEach: 8)
        guard nameCount == arrayCount || nameCount == 0 else {
            throw FormatError(
                .malformedRecord,
                "\(file) has \(nameCount) names for \(arrayCount) arrays, where each has one or none has; \(Self.damage)."
            )
        }
        var names: [String] = []
        for index in 0..<nameCount { names.append(try Self.name(&cursor, index: index)) }
        hasNames = nameCount > 0
        if !hasNames { names = (0..<arrayCount).map(String.init) }
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw FormatError(
                .duplicateName,
                "\(file) has the name \(FormatError.quote(name)) twice; save the file again with unique names.")
        }
        trailingByteCount = cursor.remaining
        entries = zip(names, arrays).map { name, array in
            Entry(name: name, dtype: array.dtype, shape: array.shape, range: array.range)
        }
    }

    private struct Array {
        var dtype: MXNetDType?
        var shape: [Int]?
        var range: Range<Int>
    }

    /// A number of things of which each takes some bytes of the rest of the file.
    private static func count(
        _ cursor: inout ByteCursor, of things: String, byteCountOfEach byteCount: Int
    ) throws(FormatError) -> Int {
        let claimed: UInt64 = try cursor.integer("the number of \(things)")
        guard claimed <= UInt64(cursor.remaining / byteCount) else {
            throw FormatError(
                .countBeyondFile,
                "\(cursor.source.name) claims \(claimed) \(things) where \(cursor.remaining) bytes follow; \(damage).")
        }
        return Int(claimed)
    }

    private static func name(_ cursor: inout ByteCursor, index: Int) throws(FormatError) -> String {
        let claimed: UInt64 = try cursor.integer("the length of name \(index)")
        guard let length = Int(exactly: claimed), length <= cursor.remaining else {
            throw FormatError(
                .countBeyondFile,
                "\(cursor.source.name) claims a name of \(claimed) bytes where \(cursor.remaining) follow; \(damage).")
        }
        let bytes = try cursor.bytes(length, "name \(index)")
        guard bytes.withUnsafeBufferPointer({ isValidUTF8($0) }) else {
            throw FormatError(
                .malformedRecord, "\(cursor.source.name) has a name \(index) that is not UTF-8; \(damage).")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func array(_ cursor: inout ByteCursor, index: Int) throws(FormatError) -> Array {
        let subject = "\(cursor.source.name): array \(index)"
        let word: UInt32 = try cursor.integer("the first word of array \(index)")
        let isNumPy = word == version3Magic
        if word == version2Magic || isNumPy {
            let storage: Int32 = try cursor.integer("the storage type of array \(index)")
            guard storage == 0 else { throw sparse(subject, storage) }
        }
        let shape: [Int]
        switch word {
        case version1Magic, version2Magic, version3Magic:
            let rank: Int32 = try cursor.integer("the rank of array \(index)")
            // Arrays without values: "shape unknown", which NumPy's rules call −1 and the older ones 0.
            if word == version2Magic && rank == 0 || isNumPy && rank == -1 {
                return Array(dtype: nil, shape: nil, range: cursor.offset..<cursor.offset)
            }
            shape = try dimensions(&cursor, subject, rank: Int(rank), Int64.self)
        default:
            shape = try dimensions(&cursor, subject, rank: Int(word), UInt32.self)
        }
        _ = try cursor.skip(8, "the device of array \(index)")
        let number: Int32 = try cursor.integer("the element type of array \(index)")
        guard let dtype = MXNetDType(rawValue: number) else {
            throw FormatError(
                .unknownDType,
                "\(subject) has the element type \(number), and MXNet's are 0 to \(MXNetDType.allCases.count - 1); "
                    + "\(damage).")
        }
        guard let byteCount = TensorExtent.byteCount(shape: shape, elementBitCount: 8 * dtype.byteCount) else {
            throw FormatError(
                .sizeOverflow, "\(subject) has shape \(shape), more bytes than can be counted; \(damage).")
        }
        return Array(
            dtype: dtype, shape: shape,
            range: try cursor.skip(byteCount, "the elements of array \(index), \(dtype.name) \(shape),"))
    }

    private static func dimensions<Dimension: FixedWidthInteger>(
        _ cursor: inout ByteCursor, _ subject: String, rank: Int, _: Dimension.Type
    ) throws(FormatError) -> [Int] {
        guard rank >= 0 else {
            throw FormatError(.negativeDimension, "\(subject) has the rank \(rank); \(damage).")
        }
        guard rank <= TensorExtent.maximumRank else {
            throw FormatError(
                .tooManyDimensions,
                "\(subject) has \(rank) dimensions where at most \(TensorExtent.maximumRank) are read; \(damage).")
        }
        var shape: [Int] = []
        for axis in 0..<rank {
            let dimension: Dimension = try cursor.integer("a dimension")
            guard dimension >= 0 else {
                throw FormatError(.negativeDimension, "\(subject) has \(dimension) in axis \(axis); \(damage).")
            }
            shape.append(Int(dimension))
        }
        return shape
    }

    private static func sparse(_ subject: String, _ storage: Int32) -> FormatError {
        guard storage == 1 || storage == 2 else {
            return FormatError(
                .malformedRecord, "\(subject) has the storage type \(storage), not 0, 1 or 2; \(damage).")
        }
        return FormatError(
            .sparseArray,
            "\(subject) is stored as \(storage == 1 ? "row_sparse" : "csr"), and Baton reads dense arrays; "
                + "save array.tostype('default') instead.")
    }
}
