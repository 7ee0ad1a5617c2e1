import BatonChecks

/// All parameters of a model in flat memory: one block of values and one block of gradients per local subtree.
///
/// Slots stand in the order in which the backward pass completes gradients, so that a range of gradients that is
/// ready is one contiguous range of memory. Every slot begins at a multiple of 64 bytes; the gaps stay zero.
public final class ParameterArena {
    /// Where one parameter lives.
    public struct Slot {
        /// Who lives there.
        public let parameter: Parameter
        /// Elements of the flat tensors.
        public let range: Range<Int>
    }

    /// Element type of everything in the arena.
    public let dtype: DType
    /// In memory order.
    public let slots: [Slot]
    /// Slots in the order of the parameters' names, which norms and hashes follow.
    public let slotsByName: [Slot]
    /// Values, (count).
    public let data: Tensor
    /// Gradients, (count) each, one per local subtree of the leaf plan.
    public let gradients: [Tensor]
    private let slotIndex: [ObjectIdentifier: Int]

    /// Elements of a flat tensor, gaps included.
    public var count: Int { data.count }

    /// Lays out the parameters and moves their values in.
    ///
    /// - Parameters:
    ///   - parameters: in backward-completion order, for a block `collectParameters().reversed()`. Those with
    ///     gradient requirement `null` are left where they are.
    ///   - subtreeCount: number of subtrees of the batches' `LeafPlan` in this process.
    ///   - overwritesGradients: whether every backward pass zeroes gradients of requirement `write` first; otherwise
    ///     that is left to `beginStep`, so that several passes make up one step.
    /// - Precondition: shapes are known, there are values, names are unique, types equal, and no parameter is in another arena.
    public init(_ parameters: [Parameter], subtreeCount: Int = 1, overwritesGradients: Bool = false) {
        let trained = parameters.filter { $0.gradientRequirement != .null }
        let dtype = trained.first?.dtype ?? .float32
        let alignment = 64 / dtype.byteCount
        var slots: [Slot] = []
        var end = 0
        for parameter in trained {
            require(
                parameter.hasKnownShape,
                "ParameterArena: the shape \(parameter.shape) of \(parameter.name) is not known; give the input sizes or run a forward pass first"
            )
            require(
                parameter.isInitialized,
                "ParameterArena: \(parameter.name) has no values yet, and would keep zeros; initialise it first")
            require(
                !parameter.isInArena,
                "ParameterArena: \(parameter.name) is in another arena, which would go on without it; use that one")
            require(
                parameter.dtype == dtype,
                "ParameterArena: \(parameter.name) is \(parameter.dtype.rawValue), the others are \(dtype.rawValue)")
            slots.append(Slot(parameter: parameter, range: end..<end + parameter.count))
            end += (parameter.count + alignment - 1) / alignment * alignment
        }
        let sorted = slots.sorted { $0.parameter.name < $1.parameter.name }
        for (left, right) in zip(sorted, sorted.dropFirst()) {
            require(
                left.parameter.name != right.parameter.name,
                "ParameterArena: two parameters are named \(left.parameter.name)")
        }
        self.dtype = dtype
        self.slots = slots
        slotsByName = sorted
        slotIndex = Dictionary(
            uniqueKeysWithValues: slots.enumerated().map { (ObjectIdentifier($1.parameter), $0) })
        data = Tensor(zeros: [end], dtype: dtype)
        gradients = (0..<subtreeCount).map { _ in Tensor(zeros: [end], dtype: dtype) }
        for slot in slots {
            slot.parameter.place(
                data: slice(data, slot.range, slot.parameter.shape),
                gradients: gradients.map { slice($0, slot.range, slot.parameter.shape) },
                overwritesGradients: overwritesGradients)
        }
    }

    deinit { for slot in slots { slot.parameter.leaveArena() } }

    private func slice(_ flat: Tensor, _ range: Range<Int>, _ shape: [Int]) -> Tensor {
        flat[leading: range].reshaped(shape)
    }

    /// Memory range of a parameter; nil if it is not in the arena.
    public func range(of parameter: Parameter) -> Range<Int>? {
        slotIndex[ObjectIdentifier(parameter)].map { slots[$0].range }
    }

    /// Position of a parameter in memory order; nil if it is not in the arena.
    public func position(of parameter: Parameter) -> Int? { slotIndex[ObjectIdentifier(parameter)] }

    /// Prepares a backward pass: zeroes all gradients except those with requirement `add`.
    public func beginStep() {
        if slots.allSatisfy({ $0.parameter.gradientRequirement != .add }) {
            for gradient in gradients { gradient.fillWithZero() }
        } else {
            for slot in slots where slot.parameter.gradientRequirement != .add {
                for gradient in slot.parameter.gradients { gradient.fillWithZero() }
            }
        }
    }

    /// Chooses which of the gradients the backward passes of all parameters add to; nil is all.
    public func select(gradients range: Range<Int>?) {
        for slot in slots { slot.parameter.selectedGradients = range }
    }

    /// Zeroes all gradients.
    public func zeroGradients() { for gradient in gradients { gradient.fillWithZero() } }

    /// To be called after the values were changed in place.
    public func markChanged() { for slot in slots { slot.parameter.markChanged() } }
}
