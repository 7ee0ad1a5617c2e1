import BatonChecks
public import BatonTensor

/// One time step of a recurrence, (x_t, states) → (y_t, new states), and its unrolling over a sequence.
///
/// A cell of one's own overrides `stateInfo` and `step`; it then works in every container:
///
///     final class Accumulator: RecurrentCell {
///         init() { super.init(BlockOutline(prefix: nil, hint: "accumulator")) }
///         override func stateInfo(batchSize: Int) -> [StateInfo] { [StateInfo(shape: [batchSize, 3], dtype: dtype)] }
///         override func step(
///             _ input: Variable, _ states: [Variable], _ context: ForwardContext
///         ) -> (output: Variable, states: [Variable]) {
///             let sum = context.add(input, states[0])
///             return (sum, [sum])
///         }
///     }
///
/// Random masks of a step belong to its number since `reset`, so stepping by hand and unrolling draw the same.
///
/// Source: Gluon `RecurrentCell`, `HybridRecurrentCell` (parity 1.4).
open class RecurrentCell: HybridBlock {
    /// Steps since the last reset.
    public private(set) var stepCount = 0
    private var beginStateCount = 0
    /// Whether a modifier wraps the cell, which is then stepped through the modifier only.
    public internal(set) var isModified = false

    /// Takes name and parameters from the outline.
    public override init(_ outline: BlockOutline) { super.init(outline) }

    /// Shape, axes and type of every state; batch size 0 is unknown.
    open func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        fatalError("\(type(of: self)): a recurrent cell must override stateInfo(batchSize:)")
    }

    /// One step, called through `cell(x, states:, context)`; every cell overrides it.
    ///
    /// - Parameters:
    ///   - input: x, (N, C) of type `dtype`.
    ///   - states: shapes and order as `stateInfo` says.
    /// - Returns: the output, (N, H) or (N, P) with a projection, and the states after the step.
    open func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        fatalError("\(type(of: self)): a recurrent cell must override step")
    }

    /// Forgets the number of steps and whatever the cell keeps from step to step, here and below.
    open func reset() {
        stepCount = 0
        beginStateCount = 0
        for (_, child) in children { (child as? RecurrentCell)?.reset() }
    }

    /// Tells the steps since the last reset, where they were not done one after the other.
    final func setStepCount(_ count: Int) { stepCount = count }

    /// Type of parameters and default states.
    open var dtype: DType { collectParameters().first?.dtype ?? .float32 }

    /// Initial states, by default zeros, named `<prefix>begin_state_<k>`.
    ///
    /// - Parameters:
    ///   - function: makes a state from its name and description.
    ///   - dtype: nil is the cell's.
    /// - Precondition: no modifier wraps the cell.
    open func beginState(
        batchSize: Int, _ function: StateFunction = .zeros, dtype: DType? = nil
    ) -> [Variable] {
        require(!isModified, "\(name): a modifier wraps this cell; ask the modifier for initial states")
        return stateInfo(batchSize: batchSize).map { info in
            var info = info
            if let dtype { info.dtype = dtype }
            defer { beginStateCount += 1 }
            return function("\(prefix)begin_state_\(beginStateCount)", info)
        }
    }

    /// One step: y_t and the new states.
    ///
    /// - Precondition: shapes and types as `checkStep` wants them.
    public final func callAsFunction(
        _ input: Variable, states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        trapping { () throws(NNError) in try checkStep(input, states) }
        var inner = context
        if !context.isInsideCell {
            inner.isInsideCell = true
            inner.random.firstTime += UInt32(stepCount)
        }
        stepCount += 1
        return withHooks(inputs: [input] + states) {
            step(input, states, inner)
        } outputs: {
            [$0.output] + $0.states
        }
    }

    /// Checks the arguments of a step.
    ///
    /// - Throws: `NNError` for a wrong number, shape or type of states, naming the cell and both shapes.
    public final func checkStep(_ input: Variable, _ states: [Variable]) throws(NNError) {
        guard input.shape.count >= 2 else {
            throw NNError("\(name): expected an input (N,C) for one step, got \(input.shape); unroll takes sequences.")
        }
        try checkStates(states, batchSize: input.shape[0], input.dtype)
        try checkInput(input)
    }

    /// Checks the states of a cell that is given such an input.
    final func checkStates(_ states: [Variable], batchSize: Int, _ inputType: DType) throws(NNError) {
        let infos = stateInfo(batchSize: batchSize)
        guard states.count == infos.count else {
            throw NNError("\(name): expected \(infos.count) states, got \(states.count); beginState makes them.")
        }
        for (state, info) in zip(states, infos) {
            let dtype = inputType.isFloatingPoint ? inputType : info.dtype
            guard state.shape == info.shape, state.dtype == dtype else {
                throw NNError(
                    "\(name): expected a state \(info.shape) of \(dtype.rawValue), got \(state.shape) \(state.dtype.rawValue); beginState makes them."
                )
            }
        }
    }

    /// Checks the input of a step against the cell's parameters; a cell that has some overrides it.
    ///
    /// - Throws: `NNError` for another type or width.
    open func checkInput(_ input: Variable) throws(NNError) {}

    /// Unrolls a request whose arguments were checked; containers override it.
    open func unrolled(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        unrolledStepByStep(request, context)
    }
}
