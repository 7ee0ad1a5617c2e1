import BatonTensor

/// Memory of one parameter under update, of a concrete element type so that the loops are specialised.
struct ElementUpdate<Scalar: DifferentiableScalar> {
    let values: UnsafeMutablePointer<Scalar>
    let states: [UnsafeMutablePointer<Scalar>]
    let count: Int
    private let source: UnsafeMutablePointer<Scalar>
    private let rescale: Scalar
    private let decay: Scalar
    private let bound: Scalar

    init(_ values: Tensor, _ gradient: Tensor, _ states: [Tensor], _ arguments: UpdateArguments) {
        self.values = values.pointer(of: Scalar.self)
        self.states = states.map { $0.pointer(of: Scalar.self) }
        count = values.count
        source = gradient.pointer(of: Scalar.self)
        rescale = Scalar(arguments.rescale)
        decay = Scalar(arguments.weightDecay)
        bound = arguments.clip.map { Scalar($0) } ?? .infinity
    }

    /// clip(rescale·g) + λw; NaN stays.
    @inline(__always) func gradient(_ index: Int) -> Scalar { clipped(rescale * source[index]) + decay * values[index] }

    /// clip(rescale·g + λw); NaN stays.
    @inline(__always) func clippedWithDecay(_ index: Int) -> Scalar {
        clipped(rescale * source[index] + decay * values[index])
    }

    @inline(__always) private func clipped(_ value: Scalar) -> Scalar {
        value > bound ? bound : value < -bound ? -bound : value
    }
}
