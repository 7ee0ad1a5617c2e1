/// What the backward pass does with a parameter's gradient.
public enum GradientRequirement: String, Sendable, Hashable, CaseIterable, Codable {
    /// Each backward pass replaces it.
    case write
    /// Backward passes add to it until it is zeroed on request.
    case add
    /// There is none.
    case null
}

/// A named tensor that training changes.
///
/// Gradients are added to by the backward pass. There is one per subtree of the batch's `LeafPlan` (one, if one
/// process holds the whole batch); all live in the flat memory of a `ParameterArena`.
public final class Parameter {
    /// Full name, unique in a model, for instance `lstm0_l0_i2h_weight`.
    public let name: String
    /// Element type.
    public let dtype: DType
    /// Dimensions; 0 = unknown until the first forward pass.
    public private(set) var shape: [Int]
    /// Fills the parameter; nil takes the one given to `Block.initialize`.
    public let initializer: (any Initializer)?
    /// `null` takes the parameter out of the gradient memory of arenas built afterwards.
    public var gradientRequirement: GradientRequirement
    /// One per subtree; empty before an arena is built and for `null`.
    public private(set) var gradients: [Tensor] = []
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
        precondition(shape.allSatisfy { $0 >= 0 }, "Parameter \(name): negative dimension in \(shape)")
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

    /// The values.
    ///
    /// - Precondition: initialised.
    public var data: Tensor {
        guard let storage else {
            preconditionFailure(
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
        precondition(
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
        precondition(
            values.dtype == dtype, "Parameter \(name): expected \(dtype.rawValue), got \(values.dtype.rawValue)")
        deferred = nil
        completeShape(values.shape)
        precondition(values.shape == shape, "Parameter \(name): expected shape \(shape), got \(values.shape)")
        if let storage { storage.copyElements(from: values) } else { storage = values.copy() }
        markChanged()
    }

    /// To be called after the values were changed in place.
    public func markChanged() { version += 1 }

    /// Moves values and gradients into memory the arena owns.
    func place(data target: Tensor, gradients: [Tensor]) {
        if let storage { target.copyElements(from: storage) } else { target.fillWithZero() }
        storage = target
        self.gradients = gradients
        markChanged()
    }
}
