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
