import BatonModelIO
import Testing

@Suite struct RecurrentTensorNameTests {
    struct Known: Sendable {
        var name: String
        var prefix: String
        var convention: RecurrentTensorName.Convention
        var layer: Int
        var isReverse: Bool
        var role: RecurrentTensorName.Role

        init(
            _ name: String, _ prefix: String, _ convention: RecurrentTensorName.Convention, _ layer: Int,
            _ isReverse: Bool, _ role: RecurrentTensorName.Role
        ) {
            (self.name, self.prefix, self.convention) = (name, prefix, convention)
            (self.layer, self.isReverse, self.role) = (layer, isReverse, role)
        }
    }

    static let known: [Known] = [
        Known("weight_ih_l0", "", .pyTorch, 0, false, .inputWeight),
        Known("weight_hh_l0_reverse", "", .pyTorch, 0, true, .hiddenWeight),
        Known("bias_ih_l12", "", .pyTorch, 12, false, .inputBias),
        Known("lstm.bias_hh_l1_reverse", "lstm.", .pyTorch, 1, true, .hiddenBias),
        Known("net.encoder.weight_hr_l0", "net.encoder.", .pyTorch, 0, false, .projectionWeight),
        Known("l0_i2h_weight", "", .gluon, 0, false, .inputWeight),
        Known("lstm0_r1_h2h_bias", "lstm0_", .gluon, 1, true, .hiddenBias),
        Known("arg:gru3_l10_h2h_weight", "arg:gru3_", .gluon, 10, false, .hiddenWeight),
        Known("model_l0_h2r_weight", "model_", .gluon, 0, false, .projectionWeight),
        Known("_unfused.0.i2h_weight", "", .gluonUnfused, 0, false, .inputWeight),
        Known("_unfused.2.l_cell.i2h_bias", "", .gluonUnfused, 2, false, .inputBias),
        Known("1._unfused.0.r_cell.h2h_bias", "1.", .gluonUnfused, 0, true, .hiddenBias),
    ]

    @Test(arguments: known)
    func namesOfAllConventionsAreUnderstood(known: Known) throws {
        let name = try #require(RecurrentTensorName(known.name))
        #expect(name.prefix == known.prefix)
        #expect(name.convention == known.convention)
        #expect(name.layer == known.layer)
        #expect(name.isReverse == known.isReverse)
        #expect(name.role == known.role)
    }

    @Test(arguments: [
        "", "weight", "weight_ih", "weight_ih_l", "weight_ih_lx", "weight_ih_l-1", "weight_ih_l99999999999999999999",
        "myweight_ih_l0", "weight_ih_l0_reversed", "i2h_weight", "0_i2h_weight", "x0_i2h_weight", "vocal0_i2h_weight",
        "0.i2h_weight", "_unfused.i2h_weight", "_unfused.x.i2h_weight", "_unfused.0.m_cell.i2h_weight", "embed.weight",
        "decoder_bias", "weight_ih_l٣",
    ])
    func otherNamesAreNone(name: String) { #expect(RecurrentTensorName(name) == nil) }
}
