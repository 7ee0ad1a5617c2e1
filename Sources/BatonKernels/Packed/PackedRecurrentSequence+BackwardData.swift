import BatonChecks
import BatonKernelABI

extension PackedRecurrentSequence {
    func backwardData(
        steps range: Range<Int>, _ arguments: RecurrentBackwardData<Float>, forward: RecurrentForward<Float>,
        hook: StepHook
    ) {
        order.goBackward(range, of: steps, isReady: weights.isReadyForBackward)
        let lengths = forward.partialLengths(steps: steps, batch: batch)
        if range.upperBound == steps { reserveProjectedGradient(lengths?.total ?? steps * batch) }
        if range.upperBound == steps && !continuesWindow {
            pad(
                arguments.finalCellGradient, into: cellCarry.reserve(batch * paddedHidden), width: hidden, lengths)
            pad(
                arguments.finalHiddenGradient, into: hiddenCarry.reserve(batch * paddedOutput), width: outputSize,
                lengths)
        }
        if let lengths {
            backwardData(steps: range, arguments, forward, lengths, hook: hook)
            return
        }
        for step in range.reversed() where batch > 0 {
            backwardStep(step, arguments, forward, hook: hook)
            hook()
        }
        if range.lowerBound == 0 { writeInitialStateGradients(arguments) }
        writeInputGradient(times(range), arguments, forward, nil)
    }

    private func backwardStep(
        _ step: Int, _ arguments: RecurrentBackwardData<Float>, _ forward: RecurrentForward<Float>, hook: StepHook
    ) {
        let time = time(step)
        let strides = forward.outputStrides
        let own = StridedRows(UnsafePointer(forward.output + strides.offset(time: time)), stride: strides.row)
        run(
            BackwardRows(
                following: followingGates(step),
                outputGradient: arguments.outputGradient.map {
                    StridedRows($0 + strides.offset(time: time), stride: strides.row)
                },
                gateRow: time * batch,
                previousCell: cellBuffer.base + step * batch * paddedHidden,
                hidden: cell == .gru ? previousHidden(step, forward) : own, first: 0, count: batch),
            hook: hook)
    }

    /// Pre-activation gradients of the step after; nil after the last of the window.
    private func followingGates(_ step: Int) -> UnsafeMutablePointer<Float>? {
        if step < steps - 1 { return gates + time(step + 1) * batch * gateRowStride }
        return continuesWindow ? followingGates.base : nil
    }

    /// What one backward step of some rows reads and writes.
    struct BackwardRows {
        /// Pre-activation gradients of the step after; nil after the last.
        var following: UnsafeMutablePointer<Float>?
        var outputGradient: StridedRows?
        /// First row of the saved gates, which their gradients replace.
        var gateRow: Int
        /// c before the step; N rows further, after it.
        var previousCell: UnsafeMutablePointer<Float>
        /// GRU: h before the step, nil for zero. RNN: h of the step.
        var hidden: StridedRows?
        /// First row of the carries.
        var first: Int
        var count: Int
    }

    /// One backward step of some rows: the own units. The hook is called after the gradient of a projection, if all parts
    /// of the units make it.
    func run(_ rows: BackwardRows, hook: StepHook) {
        var chains = followingChains(rows.following)
        if isProjected {
            makeProjectedGradient(rows)
            if !isWhole { hook() }
            chains.main = ChainOperand(
                base: UnsafePointer(projectedGradient + rows.gateRow * outputSize), rowStride: outputSize,
                depth: outputSize)
        }
        let descends = descendsNext(rows: rows.count)
        for part in weights.unitParts {
            let first = part.columns.lowerBound
            let stepArguments = RecurrentBackwardArguments(
                step: RecurrentStep(
                    rows: rows.count, hiddenSize: part.columns.count, usesRelu: cell == .rnnRelu,
                    stateClip: weights.shape.stateClip, descends: descends,
                    scratch: part.sums(in: scratch)),
                following: chains.main, followingCandidate: chains.candidate,
                hiddenPanels: isProjected
                    ? weights.projectionGradientPanels(of: part) : weights.hiddenGradientPanels(of: part),
                outputGradient: isProjected ? nil : rows.outputGradient?.from(column: first),
                hiddenCarry: hiddenCarry.base + rows.first * paddedOutput + first,
                readsHiddenCarry: !isProjected && (rows.following == nil || cell == .gru),
                cellCarry: cellCarry.base + rows.first * paddedHidden + first,
                gates: gateRows(from: rows.gateRow, unit: first),
                previousCell: UnsafePointer(rows.previousCell + first),
                cell: UnsafePointer(rows.previousCell + batch * paddedHidden + first),
                hidden: rows.hidden?.from(column: first))
            switch cell {
            case .lstm: part.kernels.table.lstmBackward(stepArguments)
            case .gru: part.kernels.table.gruBackward(stepArguments)
            case .rnnTanh, .rnnRelu: part.kernels.table.rnnBackward(stepArguments)
            }
        }
    }

    /// dr = dy + carry + dz₊₁·U, kept for dV, own columns; what reaches the step is dm = dr·V.
    private func makeProjectedGradient(_ rows: BackwardRows) {
        let gradient = projectedGradient + rows.gateRow * outputSize
        let own = weights.ownOutputs
        for row in 0..<rows.count {
            let out = gradient + row * outputSize + own.lowerBound
            if let given = rows.outputGradient {
                out.update(from: given.row(row) + own.lowerBound, count: own.count)
            } else {
                out.update(repeating: 0, count: own.count)
            }
            if rows.following == nil {
                let carry = hiddenCarry.base + (rows.first + row) * paddedOutput + own.lowerBound
                table.elementWise.add(UnsafePointer(out), UnsafePointer(carry), out, own.count)
            }
        }
        if let following = rows.following { addHiddenGradient(of: following, to: gradient, rows: rows.count) }
    }

    /// The pre-activation gradients of a step as operands of the chain to dh of the step before; empty for nil.
    private func followingChains(
        _ base: UnsafeMutablePointer<Float>?
    ) -> (main: ChainOperand, candidate: ChainOperand) {
        guard let base else { return (emptyChain, emptyChain) }
        guard cell == .gru else { return (gateOperand(base, 0..<weights.gates), emptyChain) }
        return (gateOperand(base, 0..<2), gateOperand(base, 3..<4, firstPanelGate: 2))
    }

    /// The gradients of some gates as operands of a chain over their units, without those that fill up the last vector.
    func gateOperand(
        _ base: UnsafeMutablePointer<Float>, _ range: Range<Int>, firstPanelGate: Int = 0
    ) -> ChainOperand {
        let fillsVectors = hidden == paddedHidden
        return ChainOperand(
            base: UnsafePointer(base + range.lowerBound * paddedHidden), rowStride: gateRowStride,
            depth: range.count * hidden, panelDepthStart: firstPanelGate * hidden,
            blockDepth: fillsVectors ? nil : hidden, blockGap: paddedHidden - hidden)
    }

    /// dh₀ and dc₀: the chain of a step before the first.
    private func writeInitialStateGradients(_ arguments: RecurrentBackwardData<Float>) {
        if let target = arguments.initialCellGradient, cell.hasCellState {
            unpad(UnsafePointer(cellCarry.base), columns: weights.ownUnits, into: target, width: hidden, nil)
        }
        guard let target = arguments.initialHiddenGradient else { return }
        // What bypasses the products: the GRU's dh⊙z, or with no steps at all the final gradient itself.
        if cell == .gru || steps == 0 {
            unpad(
                UnsafePointer(hiddenCarry.base), columns: weights.ownOutputs, into: target, width: outputSize, nil)
        } else {
            for row in 0..<batch {
                (target + row * outputSize + weights.ownOutputs.lowerBound).update(
                    repeating: 0, count: weights.ownOutputs.count)
            }
        }
        guard steps > 0 else { return }
        addHiddenGradient(of: gates + time(0) * batch * gateRowStride, to: target, rows: batch)
    }

    /// target += dQ·U, the gradient of h before a step, (rows, R) contiguous; own columns.
    func addHiddenGradient(
        of gates: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>, rows: Int
    ) {
        let chains = followingChains(gates)
        for chain in [chains.main, chains.candidate] where chain.depth > 0 {
            weights.outputParts.matrixProduct(
                chain, to: target, stride: outputSize, rows: rows, start: .target, scratch: scratch,
                panels: weights.hiddenGradientPanels)
        }
    }
}
