import BatonComm
import BatonKernels
import BatonNN
import BatonTensor

/// What the ranks that divide the hidden units of some layers share of one window: float32 tensors in one block.
final class ShardedWindow {
    /// h of every layer, (T, N, H).
    let outputs: [Tensor]
    /// Gates of every layer; empty in inference.
    private let gateTensors: [Tensor]
    /// (T, N, I); nil in inference.
    let inputGradient: Tensor?
    /// c of every layer after the window, (N, H); empty without.
    private let cells: [Tensor]
    /// Where the whole c of a layer goes.
    private var finalCells: [(source: Tensor, target: Tensor)] = []

    /// Collective over the ranks of the shard.
    ///
    /// - Parameters:
    ///   - layers: from the lowest up, of equal widths.
    ///   - input: (T, N, I).
    init(
        _ shard: HiddenShard, _ layers: ArraySlice<RecurrentDirection>, input: [Int], training: Bool
    ) throws(CommError) {
        let (steps, rows) = (input[0], input[1])
        var shapes = layers.map { [steps, rows, $0.outputSize] }
        shapes += layers.filter { $0.cell.hasCellState }.map { [rows, $0.hiddenSize] }
        if training {
            shapes += layers.map { [$0.sharedGateCount(rows: steps * rows)] }
            shapes.append(input)
        }
        var tensors = try shard.tensors(shapes)[...]
        func next(_ count: Int) -> [Tensor] {
            defer { tensors = tensors.dropFirst(count) }
            return Array(tensors.prefix(count))
        }
        outputs = next(layers.count)
        cells = next(layers.count { $0.cell.hasCellState })
        gateTensors = training ? next(layers.count) : []
        inputGradient = tensors.first
    }

    /// Gates of a layer, counted from the lowest; nil in inference.
    func gates(_ place: Int) -> Tensor? { gateTensors.indices.contains(place) ? gateTensors[place] : nil }

    /// The shared place of a layer's final c, from where `copyFinalCells` takes it; nil if it is not wanted.
    func take(finalCell target: Tensor?, _ place: Int) -> Tensor? {
        guard let target, cells.indices.contains(place) else { return nil }
        finalCells.append((cells[place], target))
        return cells[place]
    }

    /// Every rank has written its units: brings the whole to the rank's own states.
    func copyFinalCells() {
        for (source, target) in finalCells { target.copyElements(from: source) }
    }
}
