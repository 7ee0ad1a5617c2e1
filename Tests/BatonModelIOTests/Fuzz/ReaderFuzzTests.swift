import BatonTestSupport
import Foundation
import Testing

/// Files from outside are hostile: whatever is in them, a reader answers with a value or an error.
///
/// By hand, with the numbers printed: `BATON_FUZZ_FILES=150000 …xctest --filter ReaderFuzzTests`.
@Suite struct ReaderFuzzTests {
    @Test(arguments: FuzzedReader.allCases)
    func everyMutatedFileIsAnswered(reader: FuzzedReader) async throws {
        let run = FuzzCampaign.run(reader.rawValue)
        defer { try? FileManager.default.removeItem(atPath: run.progressPath) }
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent],
            "\(reader) at file \(FuzzCampaign.fileAtHand(run)) of seed \(run.seed)"
        ) { [reader = reader as FuzzedReader, run = run as FuzzRun] in
            let corpus = try reader.corpus()
            // A reader that refused the whole corpus would be tested on little.
            precondition(corpus.contains { (try? reader.read($0)) != nil }, "\(reader) refuses its corpus")
            let report = run.run(corpus: corpus, words: reader.words) { bytes in try reader.read(bytes) }
            FileHandle.standardOutput.write(try JSONEncoder().encode(report))
        }
        let output = Array(result?.standardOutputContent ?? [])
        if FuzzCampaign.isByHand { print(FuzzCampaign.summary(reader.rawValue, output: output)) }
        let report = try JSONDecoder().decode(FuzzRun.Report.self, from: Data(output))
        // Harmless injuries exist and so do fatal ones: the run saw both.
        #expect(report.files == run.count && report.accepted < run.count)
        if reader != .checkpoint { #expect(report.accepted > 0) }
    }
}
