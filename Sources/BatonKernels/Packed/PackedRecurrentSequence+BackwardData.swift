import BatonKernelABI

extension PackedRecurrentSequence {
    func backwardData(
        steps range: Range<Int>, _ arguments: RecurrentBackwardData<Float>, forward: RecurrentForward<Float>,
        hook: StepHook
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= steps,
            "RecurrentSequence.backwardData: steps \(range) outside 0..<\(steps)")
        precondition(
            holdsTrainingState || batch == 0 || steps == 0,
            "RecurrentSequence.backwardData: no forward pass with training: true")
        if range.upperBound == steps {
            pad(arguments.finalCellGradient, into: cellCarry.reserve(batch * paddedHidden))
            pad(arguments.finalHiddenGradient, into: hiddenCarry.reserve(batch * paddedHidden))
        }
        for step in range.reversed() where batch > 0 {
            backwardStep(step, arguments, forward)
            hook()
        }
        if range.lowerBound == 0 { writeInitialStateGradients(arguments) }
        writeInputGradient(range, arguments)
    }

    private func backwardStep(
        _ step: Int, _ arguments: RecurrentBackwardData<Float>, _ forward: RecurrentForward<Float>
    ) {
        let row = time(step) * batch
        let slot = cellBuffer.base + step * batch * paddedHidden
        let chains = followingChains(step)
        let isLast = step == steps - 1
        let previous = cell == .gru ? previousHidden(step, forward) : nil
        let own = UnsafePointer(forward.output + row * forward.outputStride)
        var stepArguments = RecurrentBackwardArguments(
            following: chains.main, followingCandidate: chains.candidate, hiddenPanels: weights.hiddenTransposedPanels,
            outputGradient: arguments.outputGradient.map { $0 + row * arguments.outputGradientStride },
            outputGradientStride: arguments.outputGradientStride, hiddenCarry: hiddenCarry.base,
            readsHiddenCarry: isLast || cell == .gru, cellCarry: cellCarry.base,
            gates: gateBuffer.base + row * gateRowStride, gateRowStride: gateRowStride, gateStride: paddedHidden,
            previousCell: UnsafePointer(slot), cell: UnsafePointer(slot + batch * paddedHidden),
            hidden: cell == .gru ? previous?.base : own,
            hiddenStride: cell == .gru ? previous?.stride ?? 0 : forward.outputStride, rows: batch,
            hiddenSize: hidden, usesRelu: cell == .rnnRelu)
        stepArguments.descends = batch <= 4 && step & 1 == 1
        switch cell {
        case .lstm: table.lstmBackward(stepArguments)
        case .gru: table.gruBackward(stepArguments)
        case .rnnTanh, .rnnRelu: table.rnnBackward(stepArguments)
        }
    }

    /// The pre-activation gradients of the step after `step` as operands of the chain to dh; empty after the last.
    private func followingChains(_ step: Int) -> (main: ChainOperand, candidate: ChainOperand) {
        guard step < steps - 1 else { return (emptyChain, emptyChain) }
        let base = gateBuffer.base + time(step + 1) * batch * gateRowStride
        func gates(_ range: Range<Int>, panelDepthStart: Int) -> ChainOperand {
            ChainOperand(
                base: UnsafePointer(base + range.lowerBound * paddedHidden), rowStride: gateRowStride,
                depth: range.count * paddedHidden, panelDepthStart: panelDepthStart)
        }
        guard cell == .gru else { return (gates(0..<weights.gates, panelDepthStart: 0), emptyChain) }
        return (gates(0..<2, panelDepthStart: 0), gates(3..<4, panelDepthStart: 2 * paddedHidden))
    }

    /// dh₀ and dc₀: the chain of a step before the first.
    private func writeInitialStateGradients(_ arguments: RecurrentBackwardData<Float>) {
        if let target = arguments.initialCellGradient, cell.hasCellState {
            unpad(UnsafePointer(cellCarry.base), into: target)
        }
        guard let target = arguments.initialHiddenGradient else { return }
        // What bypasses the products: the GRU's dh⊙z, or with no steps at all the final gradient itself.
        if cell == .gru || steps == 0 {
            unpad(UnsafePointer(hiddenCarry.base), into: target)
        } else {
            target.update(repeating: 0, count: batch * hidden)
        }
        guard steps > 0 else { return }
        let chains = followingChains(-1)
        for chain in [chains.main, chains.candidate] where chain.depth > 0 {
            table.matrixProduct(
                MatrixProductArguments(
                    operand: chain, panels: weights.hiddenTransposedPanels,
                    target: StripTarget(base: target, rowStride: hidden, stripStride: lanes), rows: batch,
                    columns: hidden, start: .target))
        }
    }

    /// dx = dA·W for the steps of the range, whose times adjoin.
    private func writeInputGradient(_ range: Range<Int>, _ arguments: RecurrentBackwardData<Float>) {
        guard let target = arguments.inputGradient, !range.isEmpty, batch > 0 else { return }
        let firstRow = min(time(range.lowerBound), time(range.upperBound - 1)) * batch
        table.matrixProduct(
            MatrixProductArguments(
                operand: ChainOperand(
                    base: UnsafePointer(gateBuffer.base + firstRow * gateRowStride), rowStride: gateRowStride,
                    depth: weights.gates * paddedHidden),
                panels: weights.inputTransposedPanels,
                target: StripTarget(
                    base: target + firstRow * arguments.inputGradientStride,
                    rowStride: arguments.inputGradientStride, stripStride: lanes),
                rows: range.count * batch, columns: weights.shape.inputSize, start: .zero,
                adds: arguments.addsToInputGradient))
    }
}
