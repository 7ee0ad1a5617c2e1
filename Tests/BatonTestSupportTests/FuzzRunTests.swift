import BatonTestSupport
import Foundation
import Testing

/// The fuzz driver notices what it is there for.
@Suite struct FuzzRunTests {
    private let corpus: [[UInt8]] = [Array("{\"shape\": [1, 2, 3]}".utf8), [0x12, 1, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7]]

    private func newRun(_ name: String, count: Int = 50) -> FuzzRun {
        let path = FileManager.default.temporaryDirectory.appending(path: "baton-fuzz-\(name)-\(UUID().uuidString)")
            .path
        return FuzzRun(seed: 3, first: 20, count: count, progressPath: path)
    }

    @Test func aFileDependsOnSeedAndNumberOnly() {
        func files(_ numbers: Range<UInt64>) -> [[UInt8]] {
            numbers.map { number in
                var generator = MutationGenerator(state: number)
                return generator.mutateFile(corpus, words: [Array("null".utf8)])
            }
        }
        #expect(files(0..<40) == files(0..<40))
        #expect(Set(files(0..<40)).count > 30)
        #expect(files(0..<40).contains { $0.count > 20 } && files(0..<40).contains { $0.count < 12 })
    }

    @Test func aCrashIsSeenWithTheNumberOfItsFile() async {
        let run = newRun("crash")
        defer { try? FileManager.default.removeItem(atPath: run.progressPath) }
        await #expect(processExitsWith: .failure) { [run = run as FuzzRun] in
            var count = 0
            _ = run.run(corpus: [[1, 2, 3]], words: []) { _ in
                count += 1
                precondition(count < 8)
            }
        }
        #expect(FuzzCampaign.fileAtHand(run) == 27)
    }

    @Test func memoryWithoutBoundIsSeen() async {
        let run = newRun("memory")
        defer { try? FileManager.default.removeItem(atPath: run.progressPath) }
        await #expect(processExitsWith: .failure) { [run = run as FuzzRun] in
            _ = run.run(corpus: [[1]], words: []) { _ in
                UnsafeMutableRawPointer.allocate(byteCount: run.memoryLimit * 2, alignment: 16).deallocate()
            }
        }
        await #expect(processExitsWith: .success) { [run = run as FuzzRun] in
            let report = run.run(corpus: [[1]], words: []) { _ in
                UnsafeMutableRawPointer.allocate(byteCount: run.memoryLimit / 2, alignment: 16).deallocate()
            }
            precondition(report.files == 50 && report.accepted == 50)
        }
    }

    @Test func aFileThatTakesTooLongIsSeen() async {
        var slow = newRun("time", count: 1)
        slow.secondsLimit = 0.05
        defer { try? FileManager.default.removeItem(atPath: slow.progressPath) }
        await #expect(processExitsWith: .failure) { [run = slow as FuzzRun] in
            _ = run.run(corpus: [[1]], words: []) { _ in
                var sum = 0.0
                for index in 0..<200_000_000 { sum += Double(index).squareRoot() }
                precondition(sum > 0)
            }
        }
    }
}
