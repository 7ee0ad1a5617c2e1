import BatonTestSupport
import Testing

/// Results of a run, or of some of its rows.
struct LayerResults<Scalar: BitPatterned> {
    var output: [Scalar]
    var finalHidden: [Scalar]
    var finalCell: [Scalar]
    var inputGradient: [Scalar]
    var initialHiddenGradient: [Scalar]
    var initialCellGradient: [Scalar]
    /// One array per subtree; nil of some rows.
    var parameterGradients: [[Scalar]]?
}

/// Results have the bits of others. Gradients of parameters are compared if the others have them.
func expectSame<Scalar>(
    _ actual: LayerResults<Scalar>, _ expected: LayerResults<Scalar>, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    for (what, actual, expected) in [
        ("output", actual.output, expected.output), ("final h", actual.finalHidden, expected.finalHidden),
        ("final c", actual.finalCell, expected.finalCell), ("dx", actual.inputGradient, expected.inputGradient),
        ("dh0", actual.initialHiddenGradient, expected.initialHiddenGradient),
        ("dc0", actual.initialCellGradient, expected.initialCellGradient),
    ] {
        let isSame = bits(actual) == bits(expected)
        #expect(isSame, "\(what), \(name)", sourceLocation: sourceLocation)
    }
    guard let gradients = expected.parameterGradients else { return }
    // A run has none if they do not add up when repeated.
    #expect(!gradients.isEmpty, "no dW, dU, db, dV, \(name)", sourceLocation: sourceLocation)
    let isSame = actual.parameterGradients?.map { bits($0) } == gradients.map { bits($0) }
    #expect(isSame, "dW, dU, db, dV, \(name)", sourceLocation: sourceLocation)
}
