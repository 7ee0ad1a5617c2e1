import BatonComm
import BatonKernels
import BatonNN
import BatonTensor

/// Brings the rows of recurrent gradients, of which each rank of a shard computed those of its units, to all of them.
/// All have then the whole gradient, and go on as if each had computed it.
final class GradientRows {
    private let shard: HiddenShard
    /// Two places in turn: a rank may bring its next rows before the others have taken these.
    private let places: [Tensor]
    private var turn = 0
    /// Gates and units of the parameters that are divided.
    private let divided: [ObjectIdentifier: (gates: Int, units: Int)]

    /// Collective over the ranks of the shard.
    init(_ shard: HiddenShard, of layers: ArraySlice<RecurrentDirection>) throws(CommError) {
        self.shard = shard
        let largest = layers.flatMap { $0.parameters.map(\.count) }.max() ?? 0
        places = try shard.tensors([[largest], [largest]])
        var divided: [ObjectIdentifier: (gates: Int, units: Int)] = [:]
        for layer in layers {
            for parameter in layer.parameters {
                divided[ObjectIdentifier(parameter)] =
                    parameter === layer.projectionWeight
                    ? (1, layer.outputSize) : (layer.cell.gateCount, layer.hiddenSize)
            }
        }
        self.divided = divided
    }

    /// Completes gradients of a parameter; does nothing for those that every rank computes whole. Collective over the
    /// ranks of the shard.
    ///
    /// - Parameter gradients: first elements, in the parameter's own layout.
    func complete(_ parameter: Parameter, _ gradients: [UnsafeMutablePointer<Float>]) throws(CommError) {
        guard let (gates, units) = divided[ObjectIdentifier(parameter)] else { return }
        let width = parameter.count / (gates * units)
        for gradient in gradients {
            let place = places[turn].pointer(of: Float.self)
            turn = 1 - turn
            copy(shard.units, gates, units, width, from: gradient, to: place)
            try shard.meet()
            for part in 0..<shard.units.count where part != shard.units.index {
                copy(UnitShard(index: part, count: shard.units.count), gates, units, width, from: place, to: gradient)
            }
        }
    }

    /// Rows g·H + u, or of a projection r, of one part.
    private func copy(
        _ part: UnitShard, _ gates: Int, _ units: Int, _ width: Int, from source: UnsafeMutablePointer<Float>,
        to target: UnsafeMutablePointer<Float>
    ) {
        let own = part.columns(of: units)
        for gate in 0..<gates {
            let first = (gate * units + own.lowerBound) * width
            (target + first).update(from: source + first, count: own.count * width)
        }
    }
}
