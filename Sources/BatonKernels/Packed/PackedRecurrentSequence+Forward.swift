import BatonChecks
import BatonKernelABI

extension PackedRecurrentSequence {
    /// Rows from which one register pass over x·W and h·U beats a separate input product: with fewer rows the
    /// input weights would be read once per step for too little work. AVX-512 needs fewer rows; in training, where gates go
    /// to memory either way, it gains less.
    private var fusedRowMinimum: Int {
        guard lanes > 8 else { return 12 }
        return keepsGates ? 8 : 4
    }
    /// The same for weights that the third-level cache does not hold whole: with fewer rows it is better to read only
    /// the hidden side in every step.
    private static let fusedRowMinimumOfLargeWeights = 32
    /// Rows an input product of its own should have.
    static let projectedRows = 96

    /// Whether a step of so many rows takes x·W and h·U in one register pass. A step that stands alone does: it would share
    /// an input product with no other.
    func fusesProducts(rows: Int, isAlone: Bool = false) -> Bool {
        let format = weights.format
        let size = format.bytes(
            rows: format.chainLength(weights.shape.inputSize) + format.chainLength(outputSize),
            columns: weights.ownGateColumns)
        return weights.shape.inputChains.count == 1
            && (isAlone
                || rows >= (size > largeWeights ? Self.fusedRowMinimumOfLargeWeights : fusedRowMinimum))
    }

    func forward(steps range: Range<Int>, _ arguments: RecurrentForward<Float>, training: Bool, hook: StepHook) {
        order.goForward(range, of: steps, training: training)
        require(
            isWhole || arguments.shared != nil || !training && !isProjected,
            "RecurrentSequence.forward: a part of the units keeps what the others need in shared memory")
        shared = isWhole ? nil : arguments.shared
        if training {
            require(
                weights.shape.precision == .float32,
                "RecurrentSequence.forward: weights in \(weights.shape.precision.rawValue) are for inference")
            reserveRows(arguments.partialLengths(steps: steps, batch: batch)?.total ?? steps * batch)
        }
        let lengths = arguments.partialLengths(steps: steps, batch: batch)
        if cell.hasCellState {
            cellBuffer.reserve((training ? steps + 1 : 1) * batch * paddedHidden)
            if range.lowerBound == 0 { pad(arguments.initialCell, into: cellBuffer.base, width: hidden, lengths) }
        }
        if let lengths {
            forward(steps: range, arguments, lengths, training: training, hook: hook)
            return
        }
        if let distinct = arguments.distinctInput {
            forward(steps: range, distinct, arguments, training: training, hook: hook)
        } else if fusesProducts(rows: batch, isAlone: range.count == 1) {
            if !training { reserveRows(batch) }
            for step in range {
                forwardStep(
                    step, arguments, training: training, gateRow: training ? time(step) * batch : 0, held: false,
                    hook: hook)
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

    /// The input product of a few steps at once, then the steps.
    private func projectAndRun(
        _ range: Range<Int>, _ arguments: RecurrentForward<Float>, training: Bool, hook: StepHook
    ) {
        let times = times(range)
        let rows = range.count * batch
        if !training { reserveRows(rows) }
        let firstRow = training ? times.lowerBound * batch : 0
        let inPlace = arguments.inputStrides.distance(batch: batch).map {
            StridedRows(arguments.input + arguments.inputStrides.offset(time: times.lowerBound), stride: $0)
        }
        let input = inPlace ?? gatherInput(times, arguments, nil)
        projectInput(input, rows: rows, into: gates + firstRow * gateRowStride)
        for step in range {
            forwardStep(
                step, arguments, training: training, gateRow: firstRow + (time(step) - times.lowerBound) * batch,
                held: true, hook: hook)
            hook()
        }
    }

    /// x·W with its bias, of so many rows, to the gates of the own units.
    func projectInput(_ input: StridedRows, rows: Int, into gates: UnsafeMutablePointer<Float>) {
        let gateCount = weights.gates
        var column = 0
        for (chain, depth) in weights.shape.inputChains.enumerated() {
            let operand = inputOperand(input.from(column: column), depth: depth, rows: rows)
            for part in weights.gateParts {
                part.kernels.table.matrixProduct(
                    MatrixProductArguments(
                        operand: operand, panels: weights.inputPanels(chain: chain, of: part),
                        target: StripTarget(
                            base: gates + part.columns.lowerBound, rowStride: gateRowStride,
                            stripStride: gateCount > 1 ? paddedHidden : part.lanes),
                        rows: rows, columns: gateCount * part.strips * part.lanes, start: chain == 0 ? .bias : .zero,
                        adds: chain > 0, bias: weights.bias(of: part),
                        scratch: part.sums(in: scratch),
                        panelStrips: gateCount > 1 ? gateCount : 0,
                        panelStride: part.lanes))
            }
            column += depth
        }
    }

    func forwardStep(
        _ step: Int, _ arguments: RecurrentForward<Float>, training: Bool, gateRow: Int, held: Bool,
        products: InputProduct? = nil, hook: StepHook
    ) {
        let time = time(step)
        let slot = cellBuffer.base + (training ? step * batch * paddedHidden : 0)
        run(
            ForwardRows(
                input: held
                    ? nil
                    : StridedRows(
                        arguments.input + arguments.inputStrides.offset(time: time), stride: arguments.inputStrides.row),
                products: products, previous: previousHidden(step, arguments), gateRow: gateRow,
                previousCell: slot, cell: training ? slot + batch * paddedHidden : slot,
                output: MutableStridedRows(
                    arguments.output + arguments.outputStrides.offset(time: time), stride: arguments.outputStrides.row),
                count: batch),
            training: training, hook: hook)
    }

    /// What one step of some rows reads and writes.
    struct ForwardRows {
        /// nil if the input product is made.
        var input: StridedRows?
        /// Where it is then, of all units; nil is in the gates.
        var products: InputProduct?
        /// h before the step; nil is zero.
        var previous: StridedRows?
        /// First row of the gates.
        var gateRow: Int
        /// c before and after the step.
        var previousCell: UnsafeMutablePointer<Float>
        var cell: UnsafeMutablePointer<Float>
        var output: MutableStridedRows
        var count: Int
    }

    /// One step of some rows: the own units. The hook is called before the projection, if all parts of the units make what
    /// it reads.
    func run(_ rows: ForwardRows, training: Bool, hook: StepHook) {
        // The parts of the units may differ in how many steps of gates they make at once, and meet in these rows.
        let unprojectedRows = unprojected + (training ? rows.gateRow * hidden : 0)
        let input =
            rows.input.map { inputOperand($0, depth: weights.shape.inputSize, rows: rows.count) } ?? emptyChain
        let previous = rows.previous.map { hiddenOperand($0, rows: rows.count) } ?? emptyChain
        let output =
            isProjected ? MutableStridedRows(unprojectedRows, stride: hidden) : rows.output
        let descends = descendsNext(rows: rows.count)
        for part in weights.gateParts {
            let first = part.columns.lowerBound
            let gates = gateRows(from: rows.gateRow, unit: first)
            var product = rows.products ?? InputProduct(base: UnsafePointer(gates.base), rowStride: gates.rowStride)
            if rows.products != nil { product.base += first }
            let stepArguments = RecurrentForwardArguments(
                step: RecurrentStep(
                    rows: rows.count, hiddenSize: part.columns.count, usesRelu: cell == .rnnRelu,
                    stateClip: weights.shape.stateClip, descends: descends,
                    scratch: part.sums(in: scratch)),
                input: input, inputPanels: weights.inputPanels(chain: 0, of: part),
                hidden: previous, hiddenPanels: weights.hiddenPanels(of: part), constants: weights.constants(of: part),
                inputProduct: rows.input == nil ? product : nil, gates: gates, savesGates: training,
                previousCell: UnsafePointer(rows.previousCell + first), cell: rows.cell + first,
                previousHidden: rows.previous?.from(column: first), output: output.from(column: first))
            switch cell {
            case .lstm: part.kernels.table.lstmForward(stepArguments)
            case .gru: part.kernels.table.gruForward(stepArguments)
            case .rnnTanh, .rnnRelu: part.kernels.table.rnnForward(stepArguments)
            }
        }
        guard isProjected else { return }
        if !isWhole { hook() }
        weights.outputParts.matrixProduct(
            ChainOperand(base: UnsafePointer(unprojectedRows), rowStride: hidden, depth: hidden), to: rows.output.base,
            stride: rows.output.stride, rows: rows.count, start: .zero, scratch: scratch,
            panels: weights.projectionPanels)
    }

    /// Rows of h before a step: the output of the step before, the initial state, or nil for zero.
    func previousHidden(
        _ step: Int, _ arguments: RecurrentForward<Float>
    ) -> StridedRows? {
        if step > 0 {
            let strides = arguments.outputStrides
            return StridedRows(
                UnsafePointer(arguments.output + strides.offset(time: time(step - 1))), stride: strides.row)
        }
        return arguments.initialHidden.map { StridedRows($0, stride: outputSize) }
    }

    private func writeFinalStates(_ arguments: RecurrentForward<Float>, training: Bool) {
        if let target = arguments.finalHidden {
            for row in 0..<batch {
                if let last = previousHidden(steps, arguments) {
                    (target + row * outputSize).update(from: last.row(row), count: outputSize)
                } else {
                    (target + row * outputSize).update(repeating: 0, count: outputSize)
                }
            }
        }
        if let target = arguments.finalCell, cell.hasCellState {
            unpad(
                UnsafePointer(cellBuffer.base + (training ? steps * batch * paddedHidden : 0)),
                columns: weights.ownUnits, into: target, width: hidden, nil)
        }
    }
}
