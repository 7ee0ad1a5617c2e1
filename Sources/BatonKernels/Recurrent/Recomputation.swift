import BatonChecks

/// How the backward pass of a layer gets the gates of its forward pass, if not from memory.
///
/// With recomputation a layer keeps, of a window of T steps, its input, its output h and (LSTM) c at the borders of
/// chunks. The gates of a chunk are computed again right before the chunk is walked back. It decides memory and time,
/// never bits.
///
/// With C steps per chunk, N rows, L leaves and p parameters of the layer, in elements:
///
///     kept        T·N·k                      k per row: saved gates, c, the packed factors of the weight gradient
///     recomputed  C·N·k + ⌈T/C⌉·N·H + L·p    the last: a weight gradient of every leaf, carried from chunk to chunk
///
/// Reverse directions on the packed kernels keep their gates: their weight gradients are chains from the last time to the
/// first, and they are walked back from the first time to the last, so the chains cannot grow chunk by chunk.
///
/// The price is a second forward pass, but for the last chunk. L·p does not depend on T, so this pays for long windows.
public enum Recomputation: Sendable, Hashable {
    /// `automaticChunk` steps, in layers that need less memory with it; others keep their gates.
    case automatic
    /// So many steps, at least 1, whatever the memory. Backends may round up (see `RecurrentSequence`).
    case chunks(of: Int)

    /// Steps of a chunk; nil where the gates are kept.
    public func chunk(_ shape: RecurrentShape, steps: Int, leaves: LeafPlan) -> Int? {
        guard steps > 0, leaves.rowCount > 0 else { return nil }
        switch self {
        case .automatic: return Self.automaticChunk(shape, steps: steps, leaves: leaves)
        case .chunks(let count):
            require(count >= 1, "Recomputation: expected chunks of at least 1 step, got \(count)")
            return min(count, steps)
        }
    }

    /// √T steps, or more if the chunk then takes a quarter of the leaves' sums: shorter chunks would save little and read
    /// and write those sums more often. nil if that does not take less memory than keeping the gates.
    static func automaticChunk(_ shape: RecurrentShape, steps: Int, leaves: LeafPlan) -> Int? {
        let rows = leaves.rowCount
        let sums = leaves.leaves.count * shape.parameterCount
        let perStep = rows * shape.keptPerRow
        let root = Int(Double(steps).squareRoot().rounded(.up))
        let chunk = min(steps, max(root, sums / (4 * perStep)))
        let borders = shape.cell.hasCellState ? (steps + chunk - 1) / chunk * rows * shape.hidden : 0
        return chunk * perStep + borders + sums < steps * perStep ? chunk : nil
    }
}

extension RecurrentShape {
    /// Elements of W, U, b, q and V.
    public var parameterCount: Int { gateRows * (inputSize + outputSize + 2) + (projection ?? 0) * hidden }

    /// Elements that a training pass keeps per row and step: gates, c, m and dr if projected, and the factors of the
    /// weight gradient.
    var keptPerRow: Int {
        (savedGates + (cell.hasCellState ? 1 : 0)) * hidden + inputSize + outputSize
            + (projection.map { $0 + 2 * hidden } ?? 0)
    }
}
