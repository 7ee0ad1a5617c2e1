import BatonTensor
import Testing

@Suite struct XXHash64Tests {
    @Test func matchesThePublishedKnownAnswers() {
        #expect(XXHash64.hash("") == 0xEF46_DB37_51D8_E999)
        #expect(XXHash64.hash("a") == 0xD24E_C4F1_A98C_6E5B)
        #expect(XXHash64.hash("abc") == 0x44BC_2CF5_AD77_0999)
        #expect(XXHash64.hash("Nobody inspects the spammish repetition") == 0xFBCE_A83C_8A37_8BF1)
        #expect(
            XXHash64.hash(String(repeating: "1234567890", count: 8)) == 0xE04A_477F_19EE_145D)
    }

    @Test func parametersAreHashedInNameOrder() {
        func make(_ name: String, _ values: [Float]) -> Parameter {
            let parameter = Parameter(name: name, shape: [values.count])
            parameter.setData(Tensor(values, shape: [values.count]))
            return parameter
        }
        let (a, b) = (make("a", [1, 2]), make("b", [3]))
        let hash = ParameterHash.hash([a, b])
        #expect(ParameterHash.hash([b, a]) == hash)
        #expect(ParameterHash.hash([make("a", [1, 2]), make("c", [3])]) != hash)
        #expect(ParameterHash.hash([make("a", [1, 2.000_000_2]), b]) != hash)
        _ = ParameterArena([b, a])
        #expect(ParameterHash.hash([a, b]) == hash)
    }
}
