import BatonModelIO
import Testing

@Suite struct RecurrentWeightNamesTests {
    private func pyTorch(layers: Int, directions: Int, biases: Bool = true, prefix: String = "") -> [String] {
        (0..<layers).flatMap { layer in
            (0..<directions).flatMap { direction in
                (["weight_ih", "weight_hh"] + (biases ? ["bias_ih", "bias_hh"] : [])).map {
                    "\(prefix)\($0)_l\(layer)\(direction == 1 ? "_reverse" : "")"
                }
            }
        }
    }

    private func message(_ names: [String]) -> String {
        let error = #expect(throws: ModelIOError.self) { _ = try RecurrentWeightNames(names, origin: "file") }
        return error?.message ?? ""
    }

    @Test func layersAndDirectionsAreCountedInAnyOrder() throws {
        let names = try RecurrentWeightNames(pyTorch(layers: 11, directions: 2).shuffled(), origin: "file")
        #expect(names.layerCount == 11)
        #expect(names.directionCount == 2)
        #expect(names.directions[21].inputWeight == "weight_ih_l10_reverse")
        #expect(names.directions[20].hiddenBias == "bias_hh_l10")
    }

    @Test func absentBiasesAreNoBiases() throws {
        let names = try RecurrentWeightNames(pyTorch(layers: 1, directions: 1, biases: false), origin: "file")
        #expect(!names.hasBiases)
        #expect(names.directions[0].all == ["weight_ih_l0", "weight_hh_l0"])
    }

    @Test func tensorsOfOtherKindsAreLeftAlone() throws {
        let stack = pyTorch(layers: 2, directions: 1, prefix: "rnn.")
        let names = try RecurrentWeightNames(["embed.weight"] + stack + ["decoder.bias"], origin: "file")
        #expect(names.layerCount == 2)
    }

    @Test func aMissingTensorIsNamedWithItsLayerAndDirection() {
        for missing in pyTorch(layers: 2, directions: 2) {
            let words = message(pyTorch(layers: 2, directions: 2).filter { $0 != missing })
            #expect(words.contains("layer \(missing.contains("l1") ? 1 : 0)"), "\(missing): \(words)")
            #expect(words.contains("reverse direction") == missing.hasSuffix("_reverse"), "\(missing): \(words)")
            #expect(words.contains(String(missing.prefix { $0 != "l" }.dropLast())), "\(missing): \(words)")
        }
    }

    @Test func aLoneTensorOfAHighLayerCostsNothing() {
        #expect(message(["weight_ih_l999999"]).contains("layer 0"))
    }

    @Test func filesWithoutOrWithSeveralStacksAreRefused() {
        #expect(message(["embed.weight"]).contains("embed.weight"))
        #expect(message([]).contains("no tensor"))
        let two = pyTorch(layers: 1, directions: 1, prefix: "a.") + pyTorch(layers: 1, directions: 1, prefix: "b.")
        #expect(message(two).contains("'a.'") && message(two).contains("'b.'"))
    }

    @Test func projectionsBelongToEveryLayerOrNone() throws {
        let weights = pyTorch(layers: 2, directions: 1)
        #expect(message(weights + ["weight_hr_l0"]).contains("weight_hr, h2r_weight) of layer 1"))
        let names = try RecurrentWeightNames(weights + ["weight_hr_l0", "weight_hr_l1"], origin: "file")
        #expect(names.hasProjections && names.directions[1].projectionWeight == "weight_hr_l1")
        #expect(names.directions[1].all.last == "weight_hr_l1")
        #expect(try !RecurrentWeightNames(weights, origin: "file").hasProjections)
    }

    @Test func twoNamesForOneParameterAreRefused() {
        let names = ["i2h_weight", "h2h_weight"].flatMap { ["_unfused.0.\($0)", "_unfused.0.l_cell.\($0)"] }
        #expect(message(names).contains("same parameter"))
    }
}
