import BatonChecks
import BatonKernelABI
import BatonKernels
import BatonTensor

extension RecurrentLayer {
    /// A sequence and the order of its axes.
    private struct Sequence {
        var values: Variable
        var layout: SequenceLayout
    }

    /// Runs the stack, one tape node per layer and direction, on a sequence of the layer's layout or of another.
    ///
    /// The lowest layer reads and the highest writes that order of axes where it stands; between them time is first.
    func run(
        _ input: Variable, layout given: SequenceLayout? = nil, states: [Variable]?, lengths: [Int]?,
        wantsStates: Bool, _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let layout = given ?? layout
        require(
            input.shape.count == 3 && input.shape[2] > 0 && input.dtype == dtype,
            "\(name): expected (T,N,C) or (N,T,C) with C ≥ 1 of \(dtype.rawValue), got \(input.shape) \(input.dtype.rawValue)"
        )
        let (steps, batch) = layout.sizes(input.shape)
        for direction in directions where direction.layer == 0 { direction.completeInputSize(input.shape[2]) }
        checkStates(states, batch)
        let lengths = checkedLengths(lengths, steps: steps, batch: batch)

        let records = context.records([input] + (states ?? []), directions.flatMap(\.parameters))
        let finals =
            wantsStates
            ? stateWidths.map { width in
                Variable(
                    Tensor(uninitialized: [directions.count, batch, width], dtype: dtype), requiresGradient: records)
            } : []
        var value = Sequence(values: input, layout: layout)
        for layer in 0..<numLayers {
            let order = layer + 1 < numLayers ? .TNC : layout
            let shape = order.shape(steps: steps, batch: batch, width: directionCount * outputSize)
            var output = Sequence(
                values: Variable(Tensor(uninitialized: shape, dtype: dtype), requiresGradient: records), layout: order)
            for index in 0..<directionCount {
                let slot = layer * directionCount + index
                runDirection(
                    slot, input: value, output: output, states: states ?? [], finals: finals, lengths: lengths,
                    records: records, context)
            }
            if let dropout = dropout(above: layer) {
                output.values = context.dropout(output.values, rate: dropout.rate, name: dropout.name)
            }
            value = output
        }
        return (value.values, finals)
    }

    /// The dropout that follows a layer: the name under which its masks are drawn, and its rate; nil if none does.
    public func dropout(above layer: Int) -> (name: String, rate: Double)? {
        dropout > 0 && layer + 1 < numLayers ? ("\(prefix)l\(layer)_dropout", dropout) : nil
    }

    private func runDirection(
        _ slot: Int, input: Sequence, output: Sequence, states: [Variable], finals: [Variable],
        lengths: SequenceLengths?, records: Bool, _ context: ForwardContext
    ) {
        let direction = directions[slot]
        func entry(_ states: [Variable], _ index: Int) -> Tensor? {
            states.indices.contains(index) ? states[index].value[leading: slot..<slot + 1] : nil
        }
        let operands = RecurrentOperands(
            input: input.values.value, inputLayout: input.layout, output: output.values.value,
            outputLayout: output.layout, outputColumn: direction.isReverse ? outputSize : 0,
            initialHidden: entry(states, 0), initialCell: entry(states, 1), finalHidden: entry(finals, 0),
            finalCell: entry(finals, 1), lengths: lengths, repeatedInput: input.values.repeatedRows)
        let pass = direction.begin(operands, leaves: context.leaves, training: records)
        let steps = 0..<input.layout.sizes(input.values.shape).steps
        let (input, output) = (input.values, output.values)
        pass.forward(steps: steps, hook: context.hook)
        guard records else { return }
        context.tape?.record(
            TapeNode(
                name: direction.inputWeight.name, outputs: [output] + finals,
                parameters: direction.parameters.filter { $0.gradientRequirement != .null },
                backwardData: { hook in
                    Self.backwardData(
                        pass, steps: steps, slot: slot, input: input, output: output, states: states, finals: finals,
                        hook)
                },
                backwardWeights: { hook in pass.backwardWeights(hook: hook) }))
    }

    private static func backwardData(
        _ pass: any RecurrentPass, steps: Range<Int>, slot: Int, input: Variable, output: Variable,
        states: [Variable], finals: [Variable], _ hook: StepHook
    ) {
        func entry(_ variables: [Variable], _ index: Int) -> Tensor? {
            variables.indices.contains(index) ? variables[index].gradient?[leading: slot..<slot + 1] : nil
        }
        // The kernel writes the gradients of the initial states; they are added afterwards, because other nodes may
        // have read the same states.
        let initial = states.map { state in
            state.requiresGradient ? Tensor(uninitialized: [1] + state.shape.dropFirst(), dtype: state.dtype) : nil
        }
        let target = input.requiresGradient ? input.gradientTarget() : nil
        pass.backwardData(
            steps: steps,
            RecurrentGradientOperands(
                output: output.gradient, finalHidden: entry(finals, 0), finalCell: entry(finals, 1),
                input: target?.tensor, addsToInput: target?.adds ?? false,
                initialHidden: initial.indices.contains(0) ? initial[0] : nil,
                initialCell: initial.indices.contains(1) ? initial[1] : nil),
            hook: hook)
        for (state, gradient) in zip(states, initial) {
            if let gradient { state.gradientAccumulator()[leading: slot..<slot + 1].add(gradient) }
        }
    }

    private func checkStates(_ states: [Variable]?, _ batch: Int) {
        guard let states else { return }
        require(
            states.count == stateCount, "\(name): expected \(stateCount) states, got \(states.count)")
        for (state, width) in zip(states, stateWidths) {
            let shape = state.shape
            require(
                shape.count == 3 && shape[0] == directions.count && shape[1] == batch && shape[2] == width
                    && state.dtype == dtype,
                "\(name): expected states \([directions.count, batch, width]) of \(dtype.rawValue), got \(shape) \(state.dtype.rawValue)"
            )
        }
    }

    private func checkedLengths(_ lengths: [Int]?, steps: Int, batch: Int) -> SequenceLengths? {
        require(
            useSequenceLength == (lengths != nil),
            useSequenceLength
                ? "\(name): useSequenceLength asks for the lengths of \(batch) rows; call the layer with sequenceLength:"
                : "\(name): lengths are given to a layer that does not use them; make it with useSequenceLength: true")
        guard let lengths else { return nil }
        require(
            lengths.count == batch && lengths.allSatisfy { 0...steps ~= $0 },
            "\(name): expected \(batch) lengths from 0 to \(steps), got \(lengths)")
        return SequenceLengths(lengths, steps: steps)
    }
}
