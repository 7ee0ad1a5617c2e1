/// The check that all ranks run the same program on the same data in the same way, made before the first real
/// exchange: MPI itself answers a mismatch with a hang or with wrong numbers.
public enum RankAgreement {
    /// Compares named values across ranks; returns if every rank gave the same names and values. Collective.
    ///
    /// - Parameters:
    ///   - fields: Names and values of any length, such as build id, configuration, CPU features, BLAS core.
    ///   - communicator: The group that must agree.
    /// - Throws: On every rank the same `CommError` of kind `disagreement`. It names the first field that differs, its
    ///   values and the ranks that gave them, and lists the other fields that differ. Transport errors as thrown.
    public static func agree(
        fields: [(name: String, value: String)], on communicator: any Communicator
    ) throws(CommError) {
        let everyone = try gather(encode(fields), on: communicator)
        var tables: [[(name: String, value: String)]] = []
        for (rank, bytes) in everyone.enumerated() {
            guard let table = decode(bytes) else {
                throw CommError(.disagreement, "rank \(rank) sent an unreadable list of fields to compare.")
            }
            tables.append(table)
        }
        if let message = disagreement(tables) { throw CommError(.disagreement, message) }
    }

    /// The sentence that describes how the tables, one per rank, differ; nil if they do not.
    static func disagreement(_ tables: [[(name: String, value: String)]]) -> String? {
        var names: [String] = []
        for table in tables { for field in table where !names.contains(field.name) { names.append(field.name) } }
        let differing = names.filter { name in
            let values = tables.map { table in table.filter { $0.name == name }.map(\.value) }
            return values.contains { $0 != values[0] }
        }
        guard let first = differing.first else { return nil }
        // Ranks with the same value are named together, in the order of the lowest rank.
        var groups: [(value: String?, ranks: [Int])] = []
        for (rank, table) in tables.enumerated() {
            let values = table.filter { $0.name == first }.map(\.value)
            let value = values.isEmpty ? nil : values.joined(separator: ", ")
            if let index = groups.firstIndex(where: { $0.value == value }) {
                groups[index].ranks.append(rank)
            } else {
                groups.append((value, [rank]))
            }
        }
        let start = max(0, commonPrefix(groups.compactMap(\.value)) - 20)
        let described = groups.map { group in
            let who =
                (group.ranks.count == 1 ? "rank " : "ranks ") + group.ranks.map(String.init).joined(separator: ", ")
            return "\(group.value.map { "'\(excerpt($0, from: start))'" } ?? "no value") on \(who)"
        }
        let others = differing.dropFirst()
        return "the ranks disagree about \(first): \(described.joined(separator: "; "))"
            + (others.isEmpty ? "" : " (and about \(others.joined(separator: ", ")))")
            + "; start every rank with the same program, arguments and data on machines of the same kind."
    }

    /// Characters that all values begin with.
    private static func commonPrefix(_ values: [String]) -> Int {
        guard let first = values.first else { return 0 }
        return values.map { zip($0, first).prefix { $0 == $1 }.count }.min() ?? 0
    }

    /// At most 120 characters of a value, around the place where the values part.
    private static func excerpt(_ value: String, from start: Int) -> String {
        if value.count <= 120 { return value }
        let part = value.dropFirst(start)
        return (start > 0 ? "…" : "") + part.prefix(120) + (part.count > 120 ? "…" : "")
    }

    /// The contributions of all ranks, of any length each: sizes first, then the bytes padded to the longest.
    static func gather(_ own: [UInt8], on communicator: any Communicator) throws(CommError) -> [[UInt8]] {
        let sizes = try communicator.allGather(own.count)
        let longest = sizes.max() ?? 0
        let padded = own + [UInt8](repeating: 0, count: longest - own.count)
        return zip(try communicator.allGather(padded), sizes).map { Array($0.prefix($1)) }
    }

    /// Each text as its length in eight bytes, least significant first, and its UTF-8; names and values alternate.
    private static func encode(_ fields: [(name: String, value: String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for text in fields.flatMap({ [$0.name, $0.value] }) {
            withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: text.utf8)
        }
        return bytes
    }

    private static func decode(_ bytes: [UInt8]) -> [(name: String, value: String)]? {
        var texts: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 8 else { return nil }
            let count = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(8)
            guard count <= UInt64(rest.count) else { return nil }
            texts.append(String(decoding: rest.prefix(Int(count)), as: UTF8.self))
            rest = rest.dropFirst(Int(count))
        }
        guard texts.count % 2 == 0 else { return nil }
        return stride(from: 0, to: texts.count, by: 2).map { (texts[$0], texts[$0 + 1]) }
    }
}
