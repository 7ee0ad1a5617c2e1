import Baton

/// Sizes of one recurrent layer and direction over one window.
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

    /// Operations of the products of one forward pass, two per multiply-add: 2·G·H·(I+H)·T·N. A training step counts
    /// three times as much. Gates and biases are not counted, so no figure can flatter.
    var forwardOperations: Double {
        2 * Double(cell.gateCount * hidden) * Double(input + hidden) * Double(steps) * Double(batch)
    }

    /// Floats that inputs, outputs, parameters, their gradients and the saved gates take, about.
    var floatCount: Double {
        let gateRows = Double(cell.gateCount * hidden)
        let rows = Double(steps) * Double(batch)
        return 4 * gateRows * Double(input + hidden) + rows * (2 * Double(input) + 3 * Double(hidden) + 2 * gateRows)
    }

    /// What is measured when no file names other shapes.
    static let standard: [KernelShape] = {
        func shape(_ cell: RecurrentKind, batch: Int, width: Int) -> KernelShape {
            KernelShape(cell: cell, steps: 50, batch: batch, input: width, hidden: width)
        }
        return [1, 4, 7, 8, 12, 16, 32, 33, 64].map { shape(.lstm, batch: $0, width: 512) }
            + [shape(.lstm, batch: 32, width: 200)]
            + [32, 64].map { shape(.lstm, batch: $0, width: 256) }
            + [shape(.lstm, batch: 64, width: 1024)]
            + [RecurrentKind.gru, .rnnTanh].flatMap { cell in
                [1, 8, 32].map { shape(cell, batch: $0, width: 512) }
            }
    }()
}
