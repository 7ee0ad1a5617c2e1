public import BatonTensor

/// The steps of a sequence, as one tensor or as a list; the other form is made when it is asked for.
public final class CellSequence {
    /// Whether this is the form Gluon returns: one tensor, or else a list.
    public let isMerged: Bool
    /// Order of the axes of the merged form.
    public let layout: SequenceLayout
    private let context: ForwardContext
    private var tensor: Variable?
    private var list: [Variable]?

    /// One tensor (T, N, …) or (N, T, …).
    init(_ tensor: Variable, layout: SequenceLayout, _ context: ForwardContext, isMerged: Bool = true) {
        self.tensor = tensor
        self.layout = layout
        self.context = context
        self.isMerged = isMerged
    }

    /// T of (N, …).
    init(_ list: [Variable], layout: SequenceLayout, _ context: ForwardContext, isMerged: Bool = false) {
        self.list = list
        self.layout = layout
        self.context = context
        self.isMerged = isMerged
    }

    private init(_ other: CellSequence, isMerged: Bool) {
        tensor = other.tensor
        list = other.list
        layout = other.layout
        context = other.context
        self.isMerged = isMerged
    }

    private var axis: Int { layout == .TNC ? 0 : 1 }

    /// (T, N, …) or (N, T, …), as the layout says.
    public var merged: Variable {
        if let tensor { return tensor }
        let made = context.stack(list ?? [], axis: axis)
        tensor = made
        return made
    }

    /// T of (N, …).
    public var steps: [Variable] {
        if let list { return list }
        guard let tensor else { return [] }
        let made = context.unstack(tensor, axis: axis)
        list = made
        return made
    }

    /// T.
    public var count: Int { list?.count ?? tensor?.shape[axis] ?? 0 }
    /// N.
    var batchSize: Int { list?.first?.shape[0] ?? tensor?.shape[1 - axis] ?? 0 }
    /// Shape of one step, (N, …).
    var stepShape: [Int] { list?.first?.shape ?? tensor.map { [batchSize] + $0.shape.dropFirst(2) } ?? [] }
    /// Element type.
    var dtype: DType { list?.first?.dtype ?? tensor?.dtype ?? .float32 }

    /// The same values declared as the other form; nil keeps the form.
    func declared(merged: Bool?) -> CellSequence {
        guard let merged, merged != isMerged else { return self }
        return CellSequence(self, isMerged: merged)
    }

    /// Makes the declared form, so that nothing is recorded after the forward pass.
    func materialized() -> CellSequence {
        if isMerged { _ = merged } else { _ = steps }
        return self
    }
}
