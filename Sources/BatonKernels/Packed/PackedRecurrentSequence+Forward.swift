import BatonKernelABI

extension PackedRecurrentSequence {
    /// Rows from which one register pass over x·W and h·U beats a separate input product: with fewer rows the
    /// input weights would be read once per step for too little work.
    private static let fusedRowMinimum = 12
    /// The same for weights that the third-level cache does not hold whole: with fewer rows it is better to read only
    /// the hidden side in every step.
    private static let fusedRowMinimumOfLargeWeights = 48
    /// Size in floats above which weights are large.
    private static let largeWeights = 4 << 20
    /// Rows an input product of its own should have.
    private static let projectedRows = 96

    func forward(steps range: Range<Int>, _ arguments: RecurrentForward<Float>, training: Bool, hook: StepHook) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= steps,
            "RecurrentSequence.forward: steps \(range) outside 0..<\(steps)")
        if training {
            precondition(weights.isReadyForTraining, "RecurrentSequence.forward: weights were packed for inference")
            gateBuffer.reserve(steps * batch * gateRowStride)
            holdsTrainingState = true
        }
        if cell.hasCellState {
            cellBuffer.reserve((training ? steps + 1 : 1) * batch * paddedHidden)
            if range.lowerBound == 0 { pad(arguments.initialCell, into: cellBuffer.base) }
        }
        if isFused {
            if !training { gateBuffer.reserve(batch * gateRowStride) }
            for step in range {
                forwardStep(
                    step, arguments, training: training, gateRow: training ? time(step) * batch : 0, held: false)
                hook()
            }
        } else if batch > 0 {
            let chunk = max(1, Self.projectedRows / batch)
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(start + chunk, range.upperBound)
                projectAndRun(start..<end, arguments, training: training, hook: hook)
                start = end
            }
        }
        if range.upperBound == steps { writeFinalStates(arguments, training: training) }
    }

    /// Whether a step does both products in one register pass.
    private var isFused: Bool {
        let size = weights.gateStrips * lanes * (weights.shape.inputSize + hidden)
        return weights.shape.inputChains.count == 1
            && batch >= (size > Self.largeWeights ? Self.fusedRowMinimumOfLargeWeights : Self.fusedRowMinimum)
    }

    /// The input product of a few steps at once, then the steps.
    private func projectAndRun(
        _ range: Range<Int>, _ arguments: RecurrentForward<Float>, training: Bool, hook: StepHook
    ) {
        let firstTime = min(time(range.lowerBound), time(range.upperBound - 1))
        let rows = range.count * batch
        if !training { gateBuffer.reserve(rows * gateRowStride) }
        let firstRow = training ? firstTime * batch : 0
        let gates = weights.gates
        var column = 0
        for (chain, depth) in weights.shape.inputChains.enumerated() {
            table.matrixProduct(
                MatrixProductArguments(
                    operand: ChainOperand(
                        base: arguments.input + firstTime * batch * arguments.inputStride + column,
                        rowStride: arguments.inputStride, depth: depth),
                    panels: weights.inputPanels(chain: chain),
                    target: StripTarget(
                        base: gateBuffer.base + firstRow * gateRowStride, rowStride: gateRowStride,
                        stripStride: gates > 1 ? paddedHidden : lanes),
                    rows: rows, columns: weights.gateStrips * lanes, start: chain == 0 ? .bias : .zero,
                    adds: chain > 0, bias: weights.bias, panelStrips: gates > 1 ? gates : 0, panelStride: lanes))
            column += depth
        }
        for step in range {
            forwardStep(
                step, arguments, training: training, gateRow: firstRow + (time(step) - firstTime) * batch, held: true)
            hook()
        }
    }

    private func forwardStep(
        _ step: Int, _ arguments: RecurrentForward<Float>, training: Bool, gateRow: Int, held: Bool
    ) {
        let row = time(step) * batch
        let previous = previousHidden(step, arguments)
        let slot = cellBuffer.base + (training ? step * batch * paddedHidden : 0)
        var stepArguments = RecurrentForwardArguments(
            input: held
                ? emptyChain
                : ChainOperand(
                    base: arguments.input + row * arguments.inputStride, rowStride: arguments.inputStride,
                    depth: weights.shape.inputSize),
            inputPanels: weights.inputPanels(chain: 0),
            hidden: previous.map { ChainOperand(base: $0.base, rowStride: $0.stride, depth: hidden) } ?? emptyChain,
            hiddenPanels: weights.hiddenPanels, bias: weights.bias, hiddenCandidateBias: weights.candidateBias,
            gates: gateBuffer.base + gateRow * gateRowStride, gateRowStride: gateRowStride, gateStride: paddedHidden,
            gatesHoldInput: held, savesGates: training, previousCell: UnsafePointer(slot),
            cell: training ? slot + batch * paddedHidden : slot, previousHidden: previous?.base,
            previousHiddenStride: previous?.stride ?? 0, output: arguments.output + row * arguments.outputStride,
            outputStride: arguments.outputStride, rows: batch, hiddenSize: hidden, usesRelu: cell == .rnnRelu)
        stepArguments.descends = batch <= 4 && step & 1 == 1
        switch cell {
        case .lstm: table.lstmForward(stepArguments)
        case .gru: table.gruForward(stepArguments)
        case .rnnTanh, .rnnRelu: table.rnnForward(stepArguments)
        }
    }

    /// Rows of h before a step: the output of the step before, the initial state, or nil for zero.
    func previousHidden(
        _ step: Int, _ arguments: RecurrentForward<Float>
    ) -> (base: UnsafePointer<Float>, stride: Int)? {
        if step > 0 {
            let row = time(step - 1) * batch
            return (UnsafePointer(arguments.output + row * arguments.outputStride), arguments.outputStride)
        }
        return arguments.initialHidden.map { ($0, hidden) }
    }

    private func writeFinalStates(_ arguments: RecurrentForward<Float>, training: Bool) {
        if let target = arguments.finalHidden {
            for row in 0..<batch {
                if let last = previousHidden(steps, arguments) {
                    (target + row * hidden).update(from: last.base + row * last.stride, count: hidden)
                } else {
                    (target + row * hidden).update(repeating: 0, count: hidden)
                }
            }
        }
        if let target = arguments.finalCell, cell.hasCellState {
            unpad(UnsafePointer(cellBuffer.base + (training ? steps * batch * paddedHidden : 0)), into: target)
        }
    }
}
