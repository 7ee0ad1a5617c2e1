import Baton
import FoundationEssentials

/// What `--json` prints: one object, its members in snake case, sorted by name.
func jsonText(_ report: some Encodable) throws -> String {
    try jsonText(
        report,
        names: .custom { path in
            let name = path.last?.stringValue ?? ""
            // The sizes of a model have everywhere the names they have in `config.json`.
            return ReportKey(path.dropLast().contains { $0.stringValue == "model" } ? name : snakeCase(name))
        })
}

/// A configuration as `config.json` holds it, its members under their own names.
func configurationText(_ configuration: TrainingConfiguration) throws -> String {
    try jsonText(configuration, names: .useDefaultKeys)
}

/// The values of a configuration by name, for ranks to compare.
func configurationFields(_ configuration: TrainingConfiguration) throws -> [(name: String, value: String)] {
    try configurationText(configuration).split(separator: "\n").compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let name = parts[0].filter { $0 != "\"" && $0 != " " }
        return ("the configuration's \(name)", parts[1].filter { $0 != "," && $0 != " " })
    }
}

/// `peakGFlopsPerRank` as `peak_gflops_per_rank`.
func snakeCase(_ name: String) -> String {
    var result = ""
    var follows = false
    for letter in name {
        if letter.isUppercase && follows { result += "_" }
        result += letter.lowercased()
        follows = !letter.isUppercase
    }
    return result
}

private func jsonText(
    _ value: some Encodable, names: JSONEncoder.KeyEncodingStrategy
) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = names
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

private struct ReportKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { return nil }
}
