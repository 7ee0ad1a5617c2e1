import BatonKernels
import Foundation
import Testing

@Suite struct CPUFeaturesTests {
    #if arch(x86_64)
        /// The kernel's own reading of CPUID and of the saved register state.
        private static let kernelFlags: Set<String>? = {
            guard let text = try? String(contentsOf: URL(filePath: "/proc/cpuinfo"), encoding: .utf8),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
            else { return nil }
            return Set(line.split(separator: " ").map(String.init))
        }()

        @Test(.enabled("needs /proc/cpuinfo") { kernelFlags != nil })
        func `features agree with what the operating system reports`() throws {
            let flags = try #require(Self.kernelFlags)
            let features = CPUFeatures.current
            let avx2: Set = ["avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "abm", "movbe"]
            let avx512: Set = ["avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl"]
            #expect(features.hasAVX2 == avx2.isSubset(of: flags))
            #expect(features.hasAVX512 == avx2.union(avx512).isSubset(of: flags))
            #expect(features.hasAVX512BFloat16 == (features.hasAVX512 && flags.contains("avx512_bf16")))
            #expect(features.hasAVX512VNNI == (features.hasAVX512 && flags.contains("avx512_vnni")))
        }

        @Test(.enabled("needs /proc/cpuinfo") { kernelFlags != nil })
        func `vendor, family, model and name are those of the processor`() throws {
            let text = try String(contentsOf: URL(filePath: "/proc/cpuinfo"), encoding: .utf8)
            func value(_ key: String) -> String? {
                text.split(separator: "\n").first { $0.prefix { $0 != "\t" && $0 != ":" } == key }
                    .map { $0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces) }
            }
            let features = CPUFeatures.current
            #expect(features.vendor == value("vendor_id"))
            #expect(String(features.family) == value("cpu family"))
            #expect(String(features.model) == value("model"))
            #expect(features.brand == value("model name"))
        }
    #endif

    @Test func `a wider instruction set implies the narrower one`() {
        let features = CPUFeatures.current
        #expect(!features.hasAVX512 || features.hasAVX2)
        #expect(!features.hasAVX512VNNI || features.hasAVX512)
        #expect(CPUFeatures().summary == "none")
    }
}
