import BatonChecks
import BatonKernels
public import BatonTensor

/// Zeroes elements in training with probability `rate` and scales the others by 1 / (1 − rate); identity otherwise.
///
/// Source: Gluon `nn.Dropout` (parity 2.9); the mask is a function of global numbers, see `ForwardContext.dropout`. Calls of
/// one block on one tape have independent masks.
public final class Dropout: HybridBlock {
    /// Probability of zero.
    public let rate: Double
    /// Order of the axes of a three-dimensional input.
    public let layout: SequenceLayout

    /// - Parameters:
    ///   - rate: a fraction, 0 ≤ rate < 1.
    ///   - layout: order of the axes of a three-dimensional input; the mask belongs to (t, n), not to memory.
    public init(rate: Double, layout: SequenceLayout = .TNC, prefix: String? = nil) {
        require(rate >= 0 && rate < 1, "Dropout: expected a rate in [0, 1), got \(rate)")
        self.rate = rate
        self.layout = layout
        super.init(BlockOutline(prefix: prefix, hint: "dropout"))
    }

    /// - Precondition: axis N of a three-dimensional input, by the layout, has the context's rows.
    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        if input.shape.count == 3 {
            let (_, batch) = layout.sizes(input.shape)
            require(batch == context.leaves.rowCount, context.leaves.mismatch(name, batch, input.shape, layout))
        }
        return context.dropout(input, rate: rate, name: name, layout: layout)
    }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] { input }

    /// `Dropout(p = rate, axes=())`.
    public override var description: String { "Dropout(p = \(rate), axes=())" }
}
