import BatonChecks
public import BatonTensor

/// What `unroll` was asked for, checked and completed.
public struct UnrollRequest {
    /// The steps.
    public var inputs: CellSequence
    /// Initial states.
    public var states: [Variable]
    /// The form of the outputs; nil leaves it to the cell.
    public var mergeOutputs: Bool?
    /// λ of every row; nil is the whole sequence.
    public var lengths: [Int]?
}

extension RecurrentCell {
    /// Runs the cell over a sequence, from a reset cell.
    ///
    /// With lengths λ, outputs at t ≥ λ are 0, returned states are those after step λ−1 (the initial ones for λ = 0),
    /// and what stands in the padding has no effect and no gradient (parity 2.7).
    ///
    /// | Argument | Shape |
    /// |---|---|
    /// | inputs | (N, T, C), with layout TNC (T, N, C) |
    /// | beginState | as `stateInfo`; nil is zeros of the inputs' type |
    /// | validLength | (N), integers or floats, which are truncated |
    /// | returns | outputs as `mergeOutputs` says, and the final states |
    ///
    /// - Parameters:
    ///   - length: T; nil takes the inputs'.
    ///   - mergeOutputs: one tensor, or a list of steps; nil is a list, or one tensor with lengths.
    /// - Precondition: there is a step, `length` is the number of steps, `beginState` has the numbers, shapes and types of
    ///   `stateInfo`, and there are N lengths from 0 to T.
    /// - Source: Gluon `RecurrentCell.unroll` (parity 1.4.2).
    public final func unroll(
        _ inputs: Variable, length: Int? = nil, beginState: [Variable]? = nil, layout: SequenceLayout = .NTC,
        mergeOutputs: Bool? = nil, validLength: Tensor? = nil, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        require(inputs.shape.count >= 2, "\(name): expected a sequence \(layout.rawValue), got \(inputs.shape)")
        return start(
            length, CellSequence(inputs, layout: layout, context), beginState, mergeOutputs, validLength, context)
    }

    /// Same for a list of T steps (N, C); the layout orients merged outputs only.
    public final func unroll(
        _ inputs: [Variable], length: Int? = nil, beginState: [Variable]? = nil, layout: SequenceLayout = .NTC,
        mergeOutputs: Bool? = nil, validLength: Tensor? = nil, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        start(length, CellSequence(inputs, layout: layout, context), beginState, mergeOutputs, validLength, context)
    }

    private func start(
        _ length: Int?, _ inputs: CellSequence, _ beginState: [Variable]?, _ mergeOutputs: Bool?,
        _ validLength: Tensor?, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        let lengths = trapping {
            () throws(NNError) in
            if let beginState { try checkStates(beginState, batchSize: inputs.batchSize, inputs.dtype) }
            return try Self.checkUnroll(length, steps: inputs.count, batchSize: inputs.batchSize, validLength, name)
        }
        reset()
        let dtype = inputs.dtype.isFloatingPoint ? inputs.dtype : nil
        let states = beginState ?? self.beginState(batchSize: inputs.batchSize, dtype: dtype)
        let request = UnrollRequest(
            inputs: inputs, states: states, mergeOutputs: mergeOutputs, lengths: lengths)
        let result = unrolled(request, context)
        setStepCount(inputs.count)
        return (result.outputs.materialized(), result.states)
    }

    /// Unrolls a part of a container: the request has been checked, the cell starts afresh.
    func unrollPart(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        reset()
        defer { setStepCount(request.inputs.count) }
        return unrolled(request, context)
    }

    /// Checks the arguments of `unroll` and reads the lengths.
    ///
    /// - Throws: `NNError` if there are no steps, `length` is not their number, or a length is missing or outside 0…T.
    static func checkUnroll(
        _ length: Int?, steps: Int, batchSize: Int, _ validLength: Tensor?, _ name: String
    ) throws(NNError) -> [Int]? {
        guard steps > 0 else { throw NNError("\(name): expected at least one step to unroll, got none.") }
        guard length == nil || length == steps else {
            throw NNError(
                "\(name): expected \(length ?? 0) steps, as the length says, got \(steps); leave the length out.")
        }
        guard let validLength else { return nil }
        let lengths = try Self.lengths(validLength, name)
        guard lengths.count == batchSize, lengths.allSatisfy({ (0...steps).contains($0) }) else {
            throw NNError(
                "\(name): expected \(batchSize) valid lengths from 0 to \(steps), got \(lengths); give one for every row."
            )
        }
        return lengths
    }

    private static func lengths(_ tensor: Tensor, _ name: String) throws(NNError) -> [Int] {
        guard tensor.dtype.isFloatingPoint else { return tensor.integers() }
        var result: [Int] = []
        for value in tensor.doubles() {
            guard let length = Int(exactly: value.rounded(.towardZero)) else {
                throw NNError("\(name): expected valid lengths, got \(value); they are numbers of steps.")
            }
            result.append(length)
        }
        return result
    }

    /// One step after the other, whatever the cell.
    final func unrolledStepByStep(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        let inputs = maskedInputs(request, context).steps
        var states = request.states
        var outputs: [Variable] = []
        for (index, input) in inputs.enumerated() {
            let result = self(input, states: states, context)
            guard let lengths = request.lengths else {
                states = result.states
                outputs.append(result.output)
                continue
            }
            // Also where all rows are valid: the order in which gradients meet, and with it the bits, must not depend on
            // which rows a process holds.
            let valid = lengths.map { index < $0 }
            states = zip(result.states, states).map { context.selectRows(valid, $0, $1) }
            let zeros = Variable(Tensor(zeros: result.output.shape, dtype: result.output.dtype))
            outputs.append(context.selectRows(valid, result.output, zeros))
        }
        let sequence = CellSequence(outputs, layout: request.inputs.layout, context)
        return (sequence.declared(merged: request.mergeOutputs ?? (request.lengths != nil)), states)
    }

    /// The inputs with zeros in the padding, so that nothing there reaches a gradient.
    final func maskedInputs(_ request: UnrollRequest, _ context: ForwardContext) -> CellSequence {
        guard let lengths = request.lengths else { return request.inputs }
        let masked = context.maskSequence(request.inputs.merged, lengths: lengths, layout: request.inputs.layout)
        return CellSequence(
            masked, layout: request.inputs.layout, context, isMerged: request.inputs.isMerged)
    }
}
