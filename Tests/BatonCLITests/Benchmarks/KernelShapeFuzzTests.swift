import BatonTestSupport
import Foundation
import Testing

@testable import BatonCLI

/// The text files of shapes that `bench kernels` takes: whatever is in them, the reader answers.
@Suite struct KernelShapeFuzzTests {
    @Test func everyMutatedFileIsAnswered() async throws {
        let run = FuzzCampaign.run("shapes")
        defer { try? FileManager.default.removeItem(atPath: run.progressPath) }
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent],
            "file \(FuzzCampaign.fileAtHand(run)) of seed \(run.seed)"
        ) { [run = run as FuzzRun] in
            let texts = ["lstm 50 32 512 512\n", "# shapes\ngru 1 1 1 1\n\nrnn_tanh 7 33 5 9 # tail\r\nlstm 2 3 4 5"]
            let words = ["lstm", "rnn_relu", "#", "-1", "9223372036854775808", "1000001", "\u{85}", "\t", "é"]
            let report = run.run(corpus: texts.map { Array($0.utf8) }, words: words.map { Array($0.utf8) }) { bytes in
                _ = try KernelShapeFile.parse(String(decoding: bytes, as: UTF8.self), name: "file")
            }
            FileHandle.standardOutput.write(try JSONEncoder().encode(report))
        }
        let output = Array(result?.standardOutputContent ?? [])
        if FuzzCampaign.isByHand { print(FuzzCampaign.summary("shapes", output: output)) }
        let report = try JSONDecoder().decode(FuzzRun.Report.self, from: Data(output))
        #expect(report.files == run.count && report.accepted > 0 && report.accepted < run.count)
    }
}
