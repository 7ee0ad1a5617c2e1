import BatonKernels
import Testing

@testable import BatonKernels

@Suite struct OpenBLASCoreTests {
    private func features(avx2: Bool, avx512: Bool) -> CPUFeatures {
        var features = CPUFeatures()
        features.hasAVX2 = avx2
        features.hasAVX512 = avx512
        return features
    }

    @Test(arguments: ["Haswell", "Zen", "Prescott", "Nehalem", "unknown"])
    func `an AVX-512 processor the library took for less gets the SkylakeX kernels`(picked: String) {
        #expect(OpenBLASCore.forced(on: features(avx2: true, avx512: true), picked: picked) == "SkylakeX")
    }

    @Test(arguments: ["SkylakeX", "Cooperlake", "SapphireRapids", "skylakex"])
    func `a library that picked AVX-512 kernels is left alone`(picked: String) {
        #expect(OpenBLASCore.forced(on: features(avx2: true, avx512: true), picked: picked) == nil)
    }

    @Test func `an AVX2 processor is never given AVX-512 kernels`() {
        let narrow = features(avx2: true, avx512: false)
        #expect(OpenBLASCore.forced(on: narrow, picked: "Prescott") == "Haswell")
        #expect(OpenBLASCore.forced(on: narrow, picked: "Haswell") == nil)
        #expect(OpenBLASCore.forced(on: narrow, picked: "Zen") == nil)
    }

    @Test func `a processor without AVX2 keeps what the library picked`() {
        #expect(OpenBLASCore.forced(on: features(avx2: false, avx512: false), picked: "Prescott") == nil)
        #expect(OpenBLASCore.forced(on: CPUFeatures(), picked: "neoversen1") == nil)
    }

    @Test func `the loaded library names its core and uses one thread`() {
        #expect(!OpenBLASCore.current.isEmpty)
        #expect(OpenBLASCore.usesOneThread)
    }
}
