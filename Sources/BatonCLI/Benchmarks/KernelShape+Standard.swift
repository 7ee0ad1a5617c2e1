import Baton

extension KernelShape {
    /// What `bench kernels` measures when no file names other shapes: batches a user would try at H=512, narrow and wide
    /// layers, inputs of another width, stacks and two directions.
    static let standard: [KernelShape] = {
        func square(_ cell: RecurrentKind, _ width: Int, batches: [Int], steps: Int = 50) -> [KernelShape] {
            batches.map { KernelShape(cell: cell, steps: steps, batch: $0, input: width, hidden: width) }
        }
        func stack(_ cell: RecurrentKind) -> [KernelShape] {
            [
                KernelShape(cell: cell, steps: 100, batch: 64, input: 40, hidden: 128, layers: 2),
                KernelShape(cell: cell, steps: 50, batch: 32, input: 256, hidden: 256, layers: 2, bidirectional: true),
            ]
        }
        var shapes = square(.lstm, 512, batches: [1, 2, 4, 7, 8, 12, 16, 32, 33, 64, 128])
        for (width, batches) in [
            (128, [1, 32]), (200, [32]), (256, [1, 8, 32, 64]), (650, [20]), (1024, [1, 16, 64]),
        ] {
            shapes += square(.lstm, width, batches: batches)
        }
        shapes += square(.lstm, 2048, batches: [1, 32], steps: 20) + stack(.lstm)
        shapes += square(.gru, 512, batches: [1, 2, 4, 8, 12, 16, 32, 64, 128])
        shapes += square(.gru, 256, batches: [32]) + square(.gru, 1024, batches: [64]) + stack(.gru)
        shapes += square(.rnnTanh, 512, batches: [1, 2, 8, 16, 32, 128])
        shapes += square(.rnnTanh, 1024, batches: [64]) + stack(.rnnTanh)
        return shapes
    }()

    /// What `bench latency` measures when no file names other shapes: single steps, then chunks of eight.
    static let streaming: [KernelShape] = {
        func step(
            _ cell: RecurrentKind, _ width: Int, batch: Int = 1, layers: Int = 1, steps: Int = 1
        ) -> KernelShape {
            KernelShape(cell: cell, steps: steps, batch: batch, input: width, hidden: width, layers: layers)
        }
        return [1, 2, 4, 8, 16].map { step(.lstm, 512, batch: $0) }
            + [128, 256, 1024].map { step(.lstm, $0) }
            + [step(.lstm, 512, layers: 2), step(.gru, 512), step(.gru, 512, batch: 4), step(.rnnTanh, 512)]
            + [step(.lstm, 512, steps: 8), step(.lstm, 512, layers: 2, steps: 8), step(.gru, 512, steps: 8)]
    }()
}
