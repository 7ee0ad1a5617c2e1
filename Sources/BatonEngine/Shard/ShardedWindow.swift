import BatonComm
import BatonKernels
import BatonNN
import BatonTensor

/// What the ranks that divide the hidden units of some layers share of one window: float32 tensors in one block.
final class ShardedWindow {
    /// h of every layer, (T, N, R).
    let outputs: [Tensor]
    /// What the kernels of every layer share besides (`RecurrentForward.shared`).
    let kernelMemory: [Tensor]
    /// (T, N, I); nil in inference.
    let inputGradient: Tensor?
    /// c of every layer after the window, (N, H); empty without.
    private let cells: [Tensor]
    /// Gradients of the initial h of every layer, (N, R), and of c, (N, H); empty in inference.
    private let stateGradients: [[Tensor]]
    /// Where states go that a rank wants whole.
    private var wanted: [(source: Tensor, target: Tensor)] = []

    /// Collective over the ranks of the shard.
    ///
    /// - Parameters:
    ///   - layers: from the lowest up, of equal widths.
    ///   - input: (T, N, I).
    init(
        _ shard: HiddenShard, _ layers: ArraySlice<RecurrentDirection>, input: [Int], training: Bool
    ) throws(CommError) {
        let (steps, rows) = (input[0], input[1])
        let cellShapes = layers.filter { $0.cell.hasCellState }.map { [rows, $0.hiddenSize] }
        var shapes = layers.map { [steps, rows, $0.outputSize] } + cellShapes
        shapes += layers.map { [$0.sharedCount(steps: steps, rows: rows, training: training)] }
        if training { shapes += layers.map { [rows, $0.outputSize] } + cellShapes + [input] }
        var tensors = try shard.tensors(shapes)[...]
        func next(_ count: Int) -> [Tensor] {
            defer { tensors = tensors.dropFirst(count) }
            return Array(tensors.prefix(count))
        }
        outputs = next(layers.count)
        cells = next(cellShapes.count)
        kernelMemory = next(layers.count)
        stateGradients = training ? [next(layers.count), next(cellShapes.count)] : []
        inputGradient = tensors.first
    }

    /// The shared place of a layer's final c, from where `copyStates` takes it; nil if it is not wanted. Layers are
    /// counted from the lowest.
    func take(finalCell target: Tensor?, _ place: Int) -> Tensor? { take(target, cells, place) }

    /// The same of the gradient of an initial h (kind 0) or c (kind 1).
    func take(initialGradient target: Tensor?, kind: Int, _ place: Int) -> Tensor? {
        take(target, stateGradients[kind], place)
    }

    private func take(_ target: Tensor?, _ places: [Tensor], _ place: Int) -> Tensor? {
        guard let target, places.indices.contains(place) else { return nil }
        wanted.append((places[place], target))
        return places[place]
    }

    /// Every rank has written its units: brings the whole to the rank's own states.
    func copyStates() {
        for (source, target) in wanted { target.copyElements(from: source) }
        wanted = []
    }
}
