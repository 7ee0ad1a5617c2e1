import Baton

extension KernelShape {
    /// What `bench kernels` measures when no file names other shapes: batches a user would try at H=512, narrow and wide
    /// layers, inputs of another width, stacks and two directions.
    static let standard: [KernelShape] = {
        let batches = [1, 2, 4, 7, 8, 12, 16, 32, 33, 64, 128]
        let sizes: [(cell: RecurrentKind, width: Int, batches: [Int])] = [
            (.lstm, 512, batches), (.lstm, 128, [1, 32]), (.lstm, 200, [32]), (.lstm, 256, [1, 8, 16, 32]),
            (.lstm, 650, [20]), (.lstm, 1024, [1, 8, 32, 64]), (.lstm, 2048, [1, 16]),
            (.gru, 512, batches), (.gru, 128, [32]), (.gru, 200, [32]), (.gru, 256, [32]), (.gru, 1024, [8, 64]),
            (.gru, 2048, [16]),
            (.rnnTanh, 512, batches), (.rnnTanh, 128, [32]), (.rnnTanh, 200, [32]), (.rnnTanh, 1024, [64]),
        ]
        return [.lstm, .gru, .rnnTanh].flatMap { cell in
            sizes.filter { $0.cell == cell }.flatMap { size in
                size.batches.map {
                    KernelShape(cell: cell, steps: 50, batch: $0, input: size.width, hidden: size.width)
                }
            } + [
                KernelShape(cell: cell, steps: 50, batch: 32, input: 40, hidden: 128),
                KernelShape(cell: cell, steps: 100, batch: 64, input: 40, hidden: 128, layers: 2),
                KernelShape(cell: cell, steps: 50, batch: 32, input: 256, hidden: 256, layers: 2, bidirectional: true),
            ]
        }
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
