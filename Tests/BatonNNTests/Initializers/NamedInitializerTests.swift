import BatonNN
import BatonTensor
import Testing

@Suite struct NamedInitializerTests {
    private func values(_ initializer: any Initializer) -> [Double] {
        let tensor = Tensor(zeros: [8, 4], dtype: .float64)
        initializer.fill(tensor, stream: RandomStream(seed: 3, name: "w"))
        return tensor.doubles()
    }

    @Test func namesAndArgumentsAreGluons() throws {
        let pairs: [(any Initializer, any Initializer)] = [
            (try NamedInitializer.make("Uniform"), UniformInitializer()),
            (try NamedInitializer.make("normal", ["sigma": .number(2)]), NormalInitializer(2)),
            (try NamedInitializer.make("ZEROS"), ConstantInitializer.zero),
            (try NamedInitializer.make("one"), ConstantInitializer.one),
            (try NamedInitializer.make("constant", ["value": .number(3)]), ConstantInitializer(3)),
            (
                try NamedInitializer.make(
                    "Xavier",
                    ["rnd_type": .text("gaussian"), "factor_type": .text("in"), "magnitude": .number(2)]),
                XavierInitializer(distribution: .gaussian, factor: .fanIn, magnitude: 2)
            ),
            (try NamedInitializer.make("msraprelu", ["slope": .number(0)]), MSRAPreluInitializer(slope: 0)),
            (
                try NamedInitializer.make("orthogonal", ["rand_type": .text("normal")]),
                OrthogonalInitializer(distribution: .normal)
            ),
        ]
        for (named, expected) in pairs { #expect(values(named) == values(expected)) }
        let bias = Tensor(zeros: [8], dtype: .float64)
        try NamedInitializer.make("lstmbias", ["forget_bias": .number(2)]).fill(
            bias, stream: RandomStream(seed: 0, name: "b"))
        #expect(bias.doubles() == [0, 0, 2, 2, 0, 0, 0, 0])
    }

    @Test func unknownNamesAndArgumentsAreRefused() {
        func message(_ name: String, _ arguments: [String: NamedInitializer.Argument] = [:]) -> String {
            #expect(throws: NNError.self) { try NamedInitializer.make(name, arguments) }?.message ?? ""
        }
        #expect(message("glorot").contains("'glorot'"))
        #expect(message("constant").contains("value"))
        #expect(message("uniform", ["sigma": .number(1)]).contains("sigma"))
        #expect(message("uniform", ["scale": .text("big")]).contains("'big'"))
        #expect(message("xavier", ["rnd_type": .text("cauchy")]).contains("rnd_type"))
    }
}
