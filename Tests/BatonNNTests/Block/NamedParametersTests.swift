import BatonNN
import BatonTensor
import Testing

@Suite struct NamedParametersTests {
    private func makeTied() -> Sequential {
        let table = Embedding(inputDim: 4, outputDim: 3, prefix: "t_")
        return Sequential(
            prefix: "net_", [table, Dense(units: 4, inUnits: 3, prefix: "h_", params: table.params)])
    }

    private func makeHead(_ prefix: String, inUnits: Int = 3, dtype: DType = .float32) -> Dense {
        Dense(units: 2, inUnits: inUnits, dtype: dtype, prefix: prefix)
    }

    private func names(_ block: Block, deduplicated: Bool = false) -> [String] {
        block.namedParameters(deduplicated: deduplicated).map(\.name)
    }

    @Test func tiedParametersAreNamedTwiceOrOnceByTheirLastName() throws {
        let net = makeTied()
        #expect(names(net) == ["0.weight", "1.weight", "1.bias"])
        #expect(names(net, deduplicated: true) == ["1.weight", "1.bias"])
        net.initialize(seed: 1)
        let other = makeTied()
        try other.load(net.parameterValues(deduplicated: true))
        #expect(
            other.collectParameters().map { $0.data.doubles() } == net.collectParameters().map { $0.data.doubles() })
    }

    @Test func valuesCompleteTheShapesOfAnUninitialisedBlock() throws {
        let source = makeHead("a_")
        source.initialize(seed: 1)
        let target = makeHead("b_", inUnits: 0)
        try target.load(source.parameterValues())
        #expect(target.weight.shape == [2, 3] && target.weight.data.doubles() == source.weight.data.doubles())
    }

    /// A dimension of zero stands for an unknown one in a parameter, but not in a file.
    @Test func valuesWithoutElementsAreRefused() {
        for target in [makeHead("a_"), makeHead("a_", inUnits: 0)] {
            let values = [
                (name: "weight", values: Tensor(zeros: [2, 0])), (name: "bias", values: Tensor(zeros: [2])),
            ]
            let error = #expect(throws: NNError.self) { try target.load(values) }
            #expect(error?.message.contains("its values have [2, 0]") == true)
        }
    }

    /// Whatever does not fit is found before anything is changed.
    @Test func valuesThatContradictEachOtherAreRefused() throws {
        let table = Embedding(inputDim: 2, outputDim: 3, prefix: "t_")
        let head = Dense(units: 2, useBias: false, inUnits: 0, prefix: "h_")
        let tied = Sequential(
            prefix: "n_", [head, Dense(units: 2, useBias: false, inUnits: 0, prefix: "g_", params: head.params)])
        let different = #expect(throws: NNError.self) {
            try tied.load([("0.weight", Tensor(zeros: [2, 3])), ("1.weight", Tensor(zeros: [2, 4]))])
        }
        #expect(different?.message.contains("stands in several places") == true)
        #expect(head.weight.shape == [2, 0])
        let twice = #expect(throws: NNError.self) {
            try table.load([("weight", Tensor(zeros: [2, 3])), ("arg:weight", Tensor(repeating: 1, shape: [2, 3]))])
        }
        #expect(twice?.message.contains("weight twice") == true && !table.weight.isInitialized)
        table.initialize(ConstantInitializer(7), seed: 1)
        let arena = ParameterArena([table.weight])
        let moved = #expect(throws: NNError.self) {
            try table.load([("weight", Tensor(zeros: [2, 3], dtype: .float64))], castDType: true, dtypeSource: .saved)
        }
        #expect(arena.count >= 6 && moved?.message.contains("before the trainer is made") == true)
        #expect(table.weight.data.doubles() == [7, 7, 7, 7, 7, 7])
        let foreign = #expect(throws: NNError.self) { try table.load([("a\u{1B}[2J", Tensor(zeros: [1]))]) }
        #expect(foreign?.message.contains("\u{1B}") == false, "\(foreign?.message ?? "")")
    }

    @Test func uninitialisedAndDeferredParametersAreNotSaved() {
        let error = #expect(throws: NNError.self) { try makeHead("a_").parameterValues() }
        #expect(error?.message.contains("a_weight") == true)
        let deferred = makeHead("a_", inUnits: 0)
        deferred.initialize(seed: 1)
        let message = #expect(throws: NNError.self) { try deferred.parameterValues() }?.message
        #expect(message?.contains("[2, 0]") == true)
    }

    @Test func missingExtraShapeAndTypeAreRefusedUnlessAllowedAndThenNothingChanges() throws {
        let target = makeHead("a_", dtype: .float64)
        target.initialize(ConstantInitializer(7), seed: 1)
        let weight = Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3])
        let bias = Tensor([8.0, 9], shape: [2])
        func refusal(
            _ values: [(name: String, values: Tensor)], missing: Bool = false, extra: Bool = false, cast: Bool = false
        ) -> String {
            let error = #expect(throws: NNError.self) {
                try target.load(values, allowMissing: missing, ignoreExtra: extra, castDType: cast)
            }
            #expect(target.weight.data.doubles() == [Double](repeating: 7, count: 6))
            return error?.message ?? ""
        }
        #expect(refusal([("weight", weight)]).contains("bias is missing"))
        #expect(refusal([("weight", weight), ("bias", bias), ("more", bias)]).contains("more"))
        let wide = Tensor([1.0, 2, 3, 4, 5, 6], shape: [3, 2])
        let shapes = refusal([("weight", wide), ("bias", bias)])
        #expect(shapes.contains("[2, 3]") && shapes.contains("[3, 2]"))
        let types = refusal([("weight", weight), ("bias", bias.cast(to: .float32))])
        #expect(types.contains("float32") && types.contains("float64"))
        _ = refusal([("weight", weight), ("bias", Tensor([Int32(1), 2], shape: [2]))], cast: true)

        try target.load([("weight", weight), ("more", bias)], allowMissing: true, ignoreExtra: true)
        #expect(target.weight.data.doubles() == weight.doubles() && target.bias?.data.doubles() == [0, 0])
    }

    @Test func theTypeOfTheBlockOrOfTheValuesStays() throws {
        let values: [(name: String, values: Tensor)] = [
            ("weight", Tensor([0.1, 2, 3, 4, 5, 6], shape: [2, 3])), ("bias", Tensor([8.0, 9], shape: [2])),
        ]
        let current = makeHead("a_")
        try current.load(values, castDType: true)
        #expect(current.weight.dtype == .float32 && current.weight.data.elements(as: Float.self)[0] == 0.1)
        let saved = makeHead("b_")
        try saved.load(values, castDType: true, dtypeSource: .saved)
        #expect(saved.weight.dtype == .float64 && saved.weight.data.doubles()[0] == 0.1)
    }

    @Test func namesWithoutDotsAreFullNamesWithoutThePrefix() throws {
        let net = Sequential(prefix: "net_")
        net.nameScope { net.add(makeHead("head_")) }
        let weight = Tensor([Float](repeating: 2, count: 6), shape: [2, 3])
        let bias = Tensor([Float](repeating: 3, count: 2), shape: [2])
        try net.load([("head_weight", weight), ("head_bias", bias)])
        #expect(net[0].parameters[0].parameter.data.doubles() == weight.doubles())
        try net.load([("arg:net_head_weight", weight), ("arg:net_head_bias", bias)])
        let head = makeHead("x_")
        try head.load([("weight", weight), ("bias", bias)])
        #expect(head.bias?.data.doubles() == [3, 3])
    }
}
