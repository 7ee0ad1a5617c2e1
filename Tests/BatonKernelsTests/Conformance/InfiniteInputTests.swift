import BatonKernels
import BatonTestSupport
import Testing

/// An infinite input saturates the gates of its row, so outputs and the gradients that flow back through them are finite; of
/// the units that fill up the last vector nothing may reach them (0·∞ is no number).
@Suite struct InfiniteInputTests {
    /// H is no multiple of the lanes; the input product is made for all steps at once, for few, or with the hidden one.
    private static let shapes = [
        NamedShape("one row", steps: 3, batch: 1, inputSize: 4, hidden: 5),
        NamedShape("few rows", steps: 4, batch: 4, inputSize: 3, hidden: 21),
        NamedShape("many rows", steps: 3, batch: 14, inputSize: 5, hidden: 7),
    ]

    @Test(arguments: kernelsUnderTest.indices)
    func `outputs and gradients of a saturated row are finite`(kernels: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape) {
            for cell in [RecurrentKind.lstm, .gru, .rnnTanh] {
                var layer = LayerCase<Kernels.Scalar>(cell, shape)
                layer.input[shape.batch * shape.inputSize] = .infinity
                let run = LayerRun(layer, on: kernels)
                for (name, values) in [
                    ("outputs", run.output), ("final states", run.finalHidden), ("input gradient", run.inputGradient),
                    ("initial state gradient", run.initialHiddenGradient),
                ] {
                    let finite = values.allSatisfy { $0.isFinite }
                    #expect(finite, "\(kernels), \(cell), \(shape): \(name)")
                }
            }
        }
        for shape in Self.shapes { check(kernelsUnderTest[kernels], shape) }
    }
}
