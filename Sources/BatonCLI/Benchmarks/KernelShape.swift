import Baton
import Foundation

/// Sizes of a recurrent stack over one window: what is measured.
struct KernelShape: Hashable {
    var cell: RecurrentKind
    /// T.
    var steps: Int
    /// N.
    var batch: Int
    /// I.
    var input: Int
    /// H.
    var hidden: Int
    /// L.
    var layers = 1
    /// Whether D is 2.
    var bidirectional = false
    /// Whether the states before the first step are zero, which then has no hidden product. Not part of a shape's line.
    var startsFromZero = false

    /// D.
    var directions: Int { bidirectional ? 2 : 1 }

    /// Chains of the input of every layer: [I], above it [H] or, from two directions, [H, H].
    var inputChains: [[Int]] {
        [[input]] + Array(repeating: Array(repeating: hidden, count: directions), count: layers - 1)
    }

    /// Values of one stack of weights per layer and direction: (input side, hidden side).
    private var weightCounts: [(input: Double, hidden: Double)] {
        let gateRows = Double(cell.gateCount * hidden)
        return inputChains.flatMap { chains in
            Array(
                repeating: (gateRows * Double(chains.reduce(0, +)), gateRows * Double(hidden)), count: directions)
        }
    }

    /// Operations of the products of one forward pass, two per multiply-add: 2·G·H·(I+H)·T·N, summed over layers and
    /// directions; from states of zero with T − 1 hidden products. A training step counts three times as much. Every one of
    /// these is done. Gates and biases are not counted, so no figure can flatter.
    var forwardOperations: Double {
        weightCounts.reduce(0) { $0 + 2 * ($1.input * Double(steps) + $1.hidden * hiddenSteps) } * Double(batch)
    }

    /// Steps with a hidden product.
    private var hiddenSteps: Double { Double(startsFromZero ? steps - 1 : steps) }

    /// Bytes of all weights in f32, biases apart.
    var weightBytes: Double { weightCounts.reduce(0) { $0 + 4 * ($1.input + $1.hidden) } }

    /// Bytes of weights that a step has to read at least: the hidden side at every step, the input side once a window,
    /// because no step waits for another there.
    var weightBytesPerStep: Double {
        weightCounts.reduce(0) { $0 + 4 * ($1.input + $1.hidden * hiddenSteps) / Double(steps) }
    }

    /// Bytes between two reads of the same weight: all weights when every call is one step, otherwise the hidden side of
    /// one layer and direction, which is run through before the next.
    var workingSetBytes: Double { steps == 1 ? weightBytesPerStep : 4 * weightCounts[0].hidden }

    /// Floats that inputs, outputs, parameters, their gradients and the saved gates take, about and at most.
    var floatCount: Double {
        // Kernels fill units and inputs up to whole vectors.
        func padded(_ size: Int) -> Double { Double((size + 15) / 16 * 16) }
        let rows = Double(steps) * Double(batch)
        // Of every weight eight floats at most: of `bench kernels` plain, gradient, and packed forwards and backwards; of
        // `bench latency` plain, packed with what it is made of, and both in f64.
        let filling = padded(hidden) / Double(hidden)
        let weights = 8 * weightCounts.reduce(0) { $0 + $1.input + $1.hidden } * filling
        // Of a layer and direction: h and its gradient, c, gates, and the factors of the weight gradient.
        let perRow = inputChains.reduce(0) { sum, chains in
            let width = padded(chains.reduce(0, +))
            return sum + Double(directions) * (padded(hidden) * Double(cell.gateCount + 5) + width + 16)
        }
        // A stream has four chunks of input, one of them in f64 too.
        return weights + rows * (8 * Double(input) + perRow)
    }

    /// The largest `floatCount` that is measured: 16 GiB, or three quarters of the machine's memory.
    static let floatLimit = min(0x1p32, Double(ProcessInfo.processInfo.physicalMemory) * 0.75 / 4)

    /// - Parameter copies: held at once.
    /// - Throws: `CommandFailure` for a shape above the limit.
    func checkMemory(copies: Int = 1) throws(CommandFailure) {
        let needed = Double(copies) * floatCount
        guard needed <= Self.floatLimit else {
            throw CommandFailure(
                "The shape '\(KernelShapeFile.line(self))' needs about \(fixed(needed / 0x1p28, digits: 0)) GiB where \(fixed(Self.floatLimit / 0x1p28, digits: 0)) are the limit; give smaller sizes."
            )
        }
    }
}
