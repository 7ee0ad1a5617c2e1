import BatonFormats
import BatonModelIO
import BatonTensor
import Testing

@Suite struct WeightRenamingTests {
    /// Tensors of distinct shapes and values, so that a mix-up shows.
    private func tensors(_ names: [String]) -> NamedTensors {
        var result = NamedTensors(origin: "file", metadata: ["k": "v"])
        for (index, name) in names.enumerated() {
            result[name] = Tensor((0...index).map { Float($0 + index * 100) }, shape: [index + 1])
        }
        return result
    }

    private func stack(_ convention: RecurrentTensorName.Convention, prefix: String, both: Bool) -> [String] {
        let forward = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]
        return (0..<12).flatMap { layer in
            (both ? ["", "_reverse"] : [""]).flatMap { way in
                forward.compactMap { word in
                    RecurrentTensorName("\(word)_l\(layer)\(way)")?
                        .spelled(convention, prefix: prefix, isBidirectional: both)
                }
            }
        }
    }

    @Test(arguments: [false, true]) func everyNameIsSpelledAsItIsRead(both: Bool) throws {
        for convention in RecurrentTensorName.Convention.allCases {
            for name in stack(convention, prefix: "net.", both: both) {
                let parts = try #require(RecurrentTensorName(name))
                #expect(parts.convention == convention && parts.prefix == "net.")
                #expect(parts.spelled(convention, prefix: "net.", isBidirectional: both) == name)
            }
        }
        #expect(stack(.gluonUnfused, prefix: "", both: both).contains("_unfused.11.h2r_weight") != both)
        #expect(stack(.gluonUnfused, prefix: "1.", both: both).contains("1._unfused.11.l_cell.h2r_weight") == both)
    }

    /// From every convention to every other and back: the same names, and the very same memory.
    @Test(arguments: RecurrentTensorName.Convention.allCases, RecurrentTensorName.Convention.allCases)
    func thereAndBackNothingChanges(from: RecurrentTensorName.Convention, to: RecurrentTensorName.Convention) throws {
        for both in [false, true] {
            let prefix = from == .gluon ? "net_" : "net."
            let source = tensors(["embed.weight"] + stack(from, prefix: prefix, both: both) + ["decoder.bias"])
            let there = try WeightRenaming(source, to: to)
            #expect(there.renamedCount == (from == to ? 0 : source.count - 2))
            #expect(there.addedBiasCount == 0 && there.tensors.metadata == ["k": "v"])
            let back = try WeightRenaming(there.tensors, to: from).tensors
            #expect(back.names == source.names)
            for (name, tensor) in source.entries { #expect(back[name]?.rawPointer == tensor.rawPointer) }
        }
    }

    @Test func stacksAreWrittenInGluonsOrderAndWithoutMXNetsPrefixes() throws {
        let names = ["h2r_weight", "h2h_bias", "i2h_bias", "h2h_weight", "i2h_weight"]
        let source = tensors(names.map { "arg:lstm0_l0_\($0)" } + ["aux:running_mean"])
        let result = try WeightRenaming(source, to: .pyTorch).tensors
        #expect(
            result.names == [
                "lstm0.weight_ih_l0", "lstm0.weight_hh_l0", "lstm0.bias_ih_l0", "lstm0.bias_hh_l0",
                "lstm0.weight_hr_l0", "running_mean",
            ])
        #expect(result["lstm0.weight_hr_l0"]?.shape == [1])
    }

    @Test func absentBiasesBecomeZerosForGluonOnly() throws {
        var source = NamedTensors(origin: "file")
        for (name, rows) in [("weight_ih_l0", 8), ("weight_hh_l0", 8), ("weight_ih_l1", 12), ("weight_hh_l1", 12)] {
            source[name] = Tensor(zeros: [rows, 3], dtype: .float64)
        }
        let gluon = try WeightRenaming(source, to: .gluonUnfused)
        #expect(gluon.addedBiasCount == 4)
        for (layer, rows) in [(0, 8), (1, 12)] {
            for bias in ["i2h_bias", "h2h_bias"] {
                let tensor = gluon.tensors["_unfused.\(layer).\(bias)"]
                #expect(tensor?.shape == [rows] && tensor?.doubles().allSatisfy { $0 == 0 } == true)
            }
        }
        #expect(try WeightRenaming(source, to: .pyTorch).tensors.count == 4)
    }

    @Test func cellsAreRenamed() throws {
        let source = tensors(["0.weight_ih", "0.bias_hh", "h2r_weight", "weight_hhh", "xweight_hh"])
        #expect(
            try WeightRenaming(source, to: .gluonUnfused).tensors.names == [
                "0.i2h_weight", "0.h2h_bias", "h2r_weight", "weight_hhh", "xweight_hh",
            ])
        #expect(
            try WeightRenaming(tensors(["lstm0_i2h_weight", "lstm0_h2h_bias"]), to: .pyTorch).tensors.names == [
                "lstm0.weight_ih", "lstm0.bias_hh",
            ])
    }

    @Test func aPrefixIsReplacedForOneStackOnly() throws {
        let one = tensors(stack(.pyTorch, prefix: "rnn.", both: false))
        #expect(try WeightRenaming(one, to: .gluon, prefix: "lstm0_").tensors.names[0] == "lstm0_l0_i2h_weight")
        #expect(try WeightRenaming(one, to: .pyTorch, prefix: "").tensors.names[0] == "weight_ih_l0")
        let two = tensors(["a.weight_ih_l0", "b.weight_ih_l0"])
        let none = tensors(["cell.weight_ih", "cell.weight_hh"])
        #expect(throws: ModelIOError.self) { _ = try WeightRenaming(none, to: .gluon, prefix: "x") }
        let error = #expect(throws: ModelIOError.self) { _ = try WeightRenaming(two, to: .gluon, prefix: "x") }
        #expect(error?.message.contains("2 recurrent stacks") == true)
    }

    @Test func twoTensorsOfOneNameAreRefused() {
        let source = tensors(["arg:weight", "weight"])
        let error = #expect(throws: ModelIOError.self) { _ = try WeightRenaming(source, to: .pyTorch) }
        #expect(error?.message.contains("named weight") == true)
    }
}
