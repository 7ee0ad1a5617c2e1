import BatonNN
import BatonTensor
import Testing

@Suite struct ParameterDictTests {
    @Test func getMakesOncePrefixesAndMergesUnknownDimensionsBothWays() throws {
        let dictionary = ParameterDict(prefix: "net_")
        let first = try dictionary.get("weight", shape: [4, 0])
        #expect(first.name == "net_weight")
        let second = try dictionary.get("weight", shape: [0, 3])
        #expect(first === second && first.shape == [4, 3])
        #expect(dictionary.names == ["net_weight"] && dictionary.count == 1)
        #expect(dictionary["net_weight"] === first && dictionary["weight"] == nil)
    }

    @Test func anotherShapeOrTypeOfASharedParameterIsRefusedNamingBoth() throws {
        let dictionary = ParameterDict(prefix: "net_")
        _ = try dictionary.get("weight", shape: [4, 3])
        let shape = #expect(throws: NNError.self) { _ = try dictionary.get("weight", shape: [4, 5]) }
        #expect(shape?.message.contains("net_weight") == true)
        #expect(shape?.message.contains("[4, 3]") == true && shape?.message.contains("[4, 5]") == true)
        let type = #expect(throws: NNError.self) { _ = try dictionary.get("weight", shape: [4, 3], dtype: .float64) }
        #expect(type?.message.contains("float32") == true && type?.message.contains("float64") == true)
    }

    @Test func aConstantIsNotTrainedAndMustKeepItsValues() throws {
        let dictionary = ParameterDict(prefix: "net_")
        let values = Tensor([1.0, 2], shape: [2])
        let constant = try dictionary.getConstant("scale", values)
        #expect(constant.gradientRequirement == .null && constant.data.doubles() == [1, 2])
        #expect(try dictionary.getConstant("scale", values) === constant)
        #expect(throws: NNError.self) { try dictionary.getConstant("scale", Tensor([1.0, 3], shape: [2])) }
    }

    @Test func aConstantIsInitialisedToItsValues() throws {
        let dictionary = ParameterDict(prefix: "net_")
        let numbers = Tensor([Float.nan, -0.0, 3], shape: [3])
        let constant = try dictionary.getConstant("numbers", numbers)
        let places = try dictionary.getConstant("places", Tensor([Int32(3), 4], shape: [2]))
        dictionary.initialize(seed: 1, force: true)
        #expect(
            constant.data.elements(as: Float.self).map(\.bitPattern)
                == numbers.elements(as: Float.self).map(\.bitPattern))
        #expect(places.data.elements(as: Int32.self) == [3, 4])
        #expect(try dictionary.getConstant("numbers", numbers) === constant)
        #expect(try dictionary.getConstant("places", Tensor([Int32(3), 4], shape: [2])) === places)
        #expect(throws: NNError.self) { try dictionary.getConstant("numbers", Tensor([Float.nan, 0, 3], shape: [3])) }
        #expect(throws: NNError.self) { try dictionary.getConstant("places", Tensor([Int32(3), 5], shape: [2])) }
    }

    @Test func updateRefusesADifferentParameterOfOneName() throws {
        let (a, b) = (ParameterDict(prefix: "x_"), ParameterDict(prefix: "x_"))
        _ = try a.get("w", shape: [1])
        _ = try b.get("w", shape: [1])
        try a.update(a)
        #expect(throws: NNError.self) { try a.update(b) }
    }

    @Test func theDescriptionListsTheParameters() throws {
        let layer = Dense(units: 9, inUnits: 4, prefix: "dense7_")
        #expect(
            try layer.collectParams().description
                == "dense7_ (\n  Parameter dense7_weight (shape=(9, 4), dtype=float32)\n  Parameter dense7_bias (shape=(9,), dtype=float32)\n)"
        )
    }

    @Test func aSharedBlockTakesTheOthersNamesAndMakesWhatIsMissing() {
        let table = Embedding(inputDim: 7, outputDim: 5, prefix: "lm_embedding0_")
        let head = Dense(units: 7, inUnits: 5, prefix: "lm_dense0_", params: table.params)
        #expect(head.weight === table.weight)
        #expect(head.bias?.name == "lm_embedding0_bias")
        #expect(head.prefix == "lm_dense0_" && head.params.prefix == "lm_embedding0_")
    }

    @Test func childrenMadeInTheScopeOfASharingBlockShareToo() {
        let first = Sequential(prefix: "a_")
        first.nameScope { first.add(Dense(units: 2, inUnits: 2, prefix: "d_")) }
        // The children's parameters are the children's own, so the other tree shares the collected dictionary.
        let second = try? Sequential(prefix: "b_", params: first.collectParams())
        second?.nameScope { second?.add(Dense(units: 2, inUnits: 2, prefix: "d_")) }
        #expect(second?[0].prefix == "b_d_")
        #expect(second?[0].parameters[0].parameter === first[0].parameters[0].parameter)
    }

    @Test func valuesAreFilledOnceUnlessForced() throws {
        let dictionary = ParameterDict(prefix: "net_")
        let weight = try dictionary.get("w", shape: [3], dtype: .float64)
        dictionary.initialize(ConstantInitializer(1))
        dictionary.initialize(ConstantInitializer(2))
        #expect(weight.data.doubles() == [1, 1, 1])
        dictionary.initialize(ConstantInitializer(2), force: true)
        #expect(weight.data.doubles() == [2, 2, 2])
    }
}
