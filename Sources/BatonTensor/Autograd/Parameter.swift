import BatonChecks

/// What the backward pass does with a parameter's gradient.
public enum GradientRequirement: String, Sendable, Hashable, CaseIterable, Codable {
    /// Each backward pass replaces it; in an arena whose `beginStep` zeroes it, as that of a `DataParallelBatch`, all passes
    /// of a step add up.
    case write
    /// Backward passes add to it until it is zeroed on request.
    case add
    /// There is none.
    case null
}

/// A named tensor that training changes.
///
/// Gradients are added to by the backward pass. There is one per subtree of the batch's `LeafPlan` (one, if one
/// process holds the whole batch). They live in the flat memory of a `ParameterArena`, or, for a parameter that is in
/// none, in memory of their own, made by the first backward pass.
public final class Parameter: CustomStringConvertible {
    /// Full name, unique in a model, for instance `lstm0_l0_i2h_weight`.
    public let name: String
    /// Element type.
    public private(set) var dtype: DType
    /// Dimensions; 0 = unknown until the first forward pass.
    public private(set) var shape: [Int]
    /// Fills the parameter; nil takes the one given to `Block.initialize`.
    public let initializer: (any Initializer)?
    /// `null` takes the parameter out of the gradient memory of arenas built afterwards, and frees a gradient that is in
    /// no arena.
    public var gradientRequirement: GradientRequirement {
        didSet { if gradientRequirement == .null, !isInArena { gradients = [] } }
    }
    /// One per subtree; empty for `null`, and before an arena or a backward pass made them.
    public private(set) var gradients: [Tensor] = []
    /// Whether values and gradients live in an arena that is in use.
    package private(set) var isInArena = false
    /// Whether a backward pass zeroes the gradients first, if the requirement is `write`; in an arena it may be left to
    /// `beginStep`.
    public private(set) var overwritesGradients = true
    /// Whether a backward pass completed the gradients since an optimiser used them.
    public var hasFreshGradient = false
    /// Whether the gradients of the last backward pass are summed over processes.
    package var hasCombinedGradient = false
    /// Whether a backward pass has reached it since: its gradients are parts of a sum.
    package var awaitsCombining: Bool { hasFreshGradient && !hasCombinedGradient }
    /// Factor of the learning rate, for a `Trainer`; the flat optimisers have one rate for all.
    public var learningRateMultiplier = 1.0
    /// Factor of the weight decay, likewise; 0 for biases that must not decay.
    public var weightDecayMultiplier = 1.0
    /// Which of `gradients` the backward passes add to; nil is all. A batch that is computed in parts, one after the
    /// other, has subtrees for each part.
    public var selectedGradients: Range<Int>?
    /// Grows with every change of the values; layers pack weights again when it moved.
    public private(set) var version = 0

    private var storage: Tensor?
    /// Initialisation that waits for the shape.
    private var deferred: (initializer: any Initializer, seed: UInt64)?

    /// A parameter without values.
    public init(
        name: String, shape: [Int], dtype: DType = .float32, initializer: (any Initializer)? = nil,
        gradientRequirement: GradientRequirement = .write
    ) {
        require(shape.allSatisfy { $0 >= 0 }, "Parameter \(name): negative dimension in \(shape)")
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.initializer = initializer
        self.gradientRequirement = gradientRequirement
    }

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// Whether all dimensions are known.
    public var hasKnownShape: Bool { !shape.contains(0) }
    /// Whether there are values.
    public var isInitialized: Bool { storage != nil }
    /// Whether initialisation waits for the shape.
    public var isDeferred: Bool { deferred != nil }
    /// Whether a tensor of that shape fits: unknown dimensions on either side agree with everything.
    public func agrees(with other: [Int]) -> Bool {
        other.count == shape.count && zip(shape, other).allSatisfy { $0 == $1 || $0 == 0 || $1 == 0 }
    }

    /// `Parameter lstm0_l0_i2h_bias (shape=(16,), dtype=float32)`.
    public var description: String {
        let sizes = shape.map(String.init).joined(separator: ", ")
        return "Parameter \(name) (shape=(\(sizes)\(shape.count == 1 ? "," : "")), dtype=\(dtype.rawValue))"
    }

    /// The values.
    ///
    /// - Precondition: initialised.
    public var data: Tensor {
        guard let storage else {
            fatalError(
                deferred == nil
                    ? "Parameter \(name): used before it was initialised; call initialize on its block first"
                    : "Parameter \(name): its shape \(shape) is not known before the first forward pass")
        }
        return storage
    }

    /// Fills the unknown dimensions, and the values if an initialisation waited for them.
    ///
    /// - Precondition: agrees with the known dimensions.
    public func completeShape(_ full: [Int]) {
        require(
            full.count == shape.count && zip(shape, full).allSatisfy { $0 == 0 || $0 == $1 },
            "Parameter \(name): expected shape \(shape), got \(full)")
        if hasKnownShape { return }
        shape = full
        if let waiting = deferred { initialize(overriding: waiting.initializer, seed: waiting.seed) }
    }

    /// Fills the values, now or, if the shape is not known yet, as soon as it is. The parameter's own initialiser goes
    /// before `fallback`. The numbers depend on seed and name only.
    public func initialize(_ fallback: any Initializer, seed: UInt64) {
        initialize(overriding: initializer ?? fallback, seed: seed)
    }

    /// Same with an initialiser that goes before the parameter's own.
    public func initialize(overriding initializer: any Initializer, seed: UInt64) {
        guard hasKnownShape else {
            deferred = (initializer, seed)
            return
        }
        deferred = nil
        let target = storage ?? Tensor(uninitialized: shape, dtype: dtype)
        initializer.fill(target, stream: RandomStream(seed: seed, name: name))
        storage = target
        markChanged()
    }

    /// Replaces the values; also completes an unknown shape.
    ///
    /// - Precondition: shape agrees and the type is the parameter's.
    public func setData(_ values: Tensor) {
        require(
            values.dtype == dtype, "Parameter \(name): expected \(dtype.rawValue), got \(values.dtype.rawValue)")
        deferred = nil
        completeShape(values.shape)
        require(values.shape == shape, "Parameter \(name): expected shape \(shape), got \(values.shape)")
        if let storage { storage.copyElements(from: values) } else { storage = values.copy() }
        markChanged()
    }

    /// To be called after the values were changed in place.
    public func markChanged() { version += 1 }

    fileprivate func makeGradients(_ subtreeCount: Int) {
        gradients = (0..<subtreeCount).map { _ in Tensor(zeros: shape, dtype: dtype) }
    }

    /// Converts values and gradients to another floating-point type.
    ///
    /// - Precondition: not in an arena, whose memory has one type.
    public func cast(to target: DType) {
        if target == dtype { return }
        require(!isInArena, "Parameter \(name): cast before an arena or a trainer is made")
        dtype = target
        storage = storage?.cast(to: target)
        gradients = gradients.map { $0.cast(to: target) }
        markChanged()
    }

    /// Moves values and gradients into memory the arena owns.
    func place(data target: Tensor, gradients: [Tensor], overwritesGradients: Bool) {
        target.copyElements(from: data)
        storage = target
        isInArena = true
        self.gradients = gradients
        self.overwritesGradients = overwritesGradients
        markChanged()
    }

    /// The arena is let go of: values stay where they are, and gradients are as before any backward pass.
    func leaveArena() {
        isInArena = false
        gradients = []
        selectedGradients = nil
        overwritesGradients = true
        hasFreshGradient = false
    }
}

extension Parameter {
    /// The gradient, if one process holds the whole batch or the sum over processes is done; zeros before the first
    /// backward pass.
    ///
    /// - Precondition: the shape is known, the requirement is not `null`, and there is one gradient, or one is selected.
    public var gradient: Tensor {
        require(
            gradientRequirement != .null,
            "Parameter \(name): has no gradient, because its gradient requirement is null")
        let roots = gradientDestinations(selectedGradients?.count ?? max(gradients.count, 1))
        require(roots.count == 1, "Parameter \(name): \(roots.count) partial gradients; combine them")
        return roots[0]
    }

    /// Zeroes the gradients.
    public func zeroGradient() { for gradient in gradients { gradient.fillWithZero() } }

    /// Where kernels add gradients, a tensor of the parameter's shape for each subtree of the context's leaves: its own,
    /// or for requirement `null` zeros that are thrown away.
    ///
    /// - Precondition: the shape is known, and the arena, if the parameter is in one, has as many gradients selected as
    ///   there are subtrees.
    public func gradientDestinations(_ subtreeCount: Int) -> [Tensor] {
        require(
            hasKnownShape,
            "Parameter \(name): it has no gradient before the first forward pass, which makes its shape \(shape) known")
        if gradientRequirement == .null {
            return (0..<subtreeCount).map { _ in Tensor(zeros: shape, dtype: dtype) }
        }
        if gradients.isEmpty, !isInArena { makeGradients(subtreeCount) }
        let chosen = selectedGradients ?? gradients.indices
        require(
            chosen.count == subtreeCount,
            "Parameter \(name): \(chosen.count) gradients for \(subtreeCount) subtrees; build the ParameterArena with the subtree count of the leaf plan"
        )
        return Array(gradients[chosen])
    }
}
