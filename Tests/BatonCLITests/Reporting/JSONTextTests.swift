import Baton
import Testing

@testable import BatonCLI

@Suite struct JSONTextTests {
    @Test(arguments: [
        ("steps", "steps"), ("shareOfPeak", "share_of_peak"), ("peakGFlopsPerRank", "peak_gflops_per_rank"),
        ("l2ReadGBytesPerSecond", "l2_read_gbytes_per_second"), ("availableISAs", "available_isas"),
    ])
    func membersAreInSnakeCase(name: String, member: String) {
        #expect(snakeCase(name) == member)
    }

    /// Ranks that differ in one value are told its name, and not shown the whole text.
    @Test func aConfigurationIsComparedValueByValue() throws {
        let model = try LanguageModelConfiguration(
            cell: .gru, vocabularySize: 3, embedding: 1, hidden: 7, layers: 1, dropout: 0)
        let one = TrainWorkload(model: model, lanes: .perRank(2), stepsPerWindow: 5).trainingConfiguration(ranks: 1)
        var other = one
        other.learningRate = 0.5
        let (left, right) = (try configurationFields(one), try configurationFields(other))
        #expect(left.contains { $0 == ("the configuration's hidden", "7") })
        #expect(left.map(\.name) == right.map(\.name))
        let differing = zip(left, right).filter { $0.value != $1.value }.map(\.0.name)
        #expect(differing == ["the configuration's learningRate"])
    }

    @Test func keysOfDictionariesAndSizesOfModelsStayAsTheyAre() throws {
        struct Report: Encodable {
            var metaData = ["someKey": 1]
            var model: LanguageModelConfiguration
        }
        let model = try LanguageModelConfiguration(
            cell: .gru, vocabularySize: 3, embedding: 1, hidden: 1, layers: 1, dropout: 0)
        let text = try jsonText(Report(model: model))
        #expect(text.contains("\"meta_data\"") && text.contains("\"someKey\"") && text.contains("\"vocabularySize\""))
    }
}
