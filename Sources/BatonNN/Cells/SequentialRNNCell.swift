import BatonChecks
public import BatonTensor

/// Cells on top of each other: the output of one is the input of the next; states are theirs one after the other.
///
/// Children are named `0`, `1`, …. Unrolling runs one cell after the other over the whole sequence, so a
/// `BidirectionalCell` may be one of them; stepping such a stack is a mistake. Source: Gluon `SequentialRNNCell`
/// (parity 1.5), which unlike this one cannot stand inside hybrid blocks.
public class SequentialRNNCell: RecurrentCell {
    /// An empty or filled stack.
    public convenience init(prefix: String? = nil, params: ParameterDict? = nil, _ cells: [RecurrentCell] = []) {
        self.init(prefix: prefix, params: params, hint: "sequentialrnncell", cells)
    }

    init(prefix: String?, params: ParameterDict?, hint: String, _ cells: [RecurrentCell]) {
        super.init(BlockOutline(prefix: prefix, hint: hint, params: params))
        for cell in cells { add(cell) }
    }

    /// Appends a cell.
    public final func add(_ cell: RecurrentCell) { register(child: cell) }

    /// Number of cells.
    public final var count: Int { children.count }

    /// A cell by position.
    public final subscript(index: Int) -> RecurrentCell { cells[index] }

    /// From the first to the last.
    public final var cells: [RecurrentCell] { children.compactMap { $0.block as? RecurrentCell } }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        cells.flatMap { $0.stateInfo(batchSize: batchSize) }
    }

    public override func beginState(
        batchSize: Int, _ function: StateFunction = .zeros, dtype: DType? = nil
    ) -> [Variable] {
        require(!isModified, "\(name): a modifier wraps this stack; ask the modifier for initial states")
        return cells.flatMap { $0.beginState(batchSize: batchSize, function, dtype: dtype) }
    }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] {
        var shape = input
        for cell in cells { shape = try cell.inferShape(shape) }
        return shape
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        var value = input
        var next: [Variable] = []
        for (cell, own) in zip(cells, parts(of: states)) {
            let result = cell(value, states: own, context)
            value = result.output
            next += result.states
        }
        return (value, next)
    }

    public override func unrolled(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        var inputs = request.inputs
        var states: [Variable] = []
        for (index, (cell, own)) in zip(cells, parts(of: request.states)).enumerated() {
            var part = request
            part.inputs = inputs
            part.states = own
            part.mergeOutputs = index == children.count - 1 ? request.mergeOutputs : nil
            let result = cell.unrollPart(part, context)
            inputs = result.outputs
            states += result.states
        }
        return (inputs, states)
    }

    private func parts(of states: [Variable]) -> [[Variable]] {
        var start = 0
        return cells.map { cell in
            let end = start + cell.stateInfo().count
            defer { start = end }
            return Array(states[start..<end])
        }
    }

    /// Class name and one line per cell; the lines of a stack inside are indented.
    public override var description: String {
        let lines = children.map { "(\($0.name)): \(indented($0.block.description))" }
        return (["\(type(of: self))("] + lines + [")"]).joined(separator: "\n")
    }
}

/// A stack of cells with Gluon's name for the one that may stand inside hybrid blocks.
public final class HybridSequentialRNNCell: SequentialRNNCell {
    /// An empty or filled stack.
    public init(prefix: String? = nil, params: ParameterDict? = nil, _ cells: [RecurrentCell] = []) {
        super.init(prefix: prefix, params: params, hint: "hybridsequentialrnncell", cells)
    }
}
