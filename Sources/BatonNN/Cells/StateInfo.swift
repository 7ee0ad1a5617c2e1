import BatonChecks
public import BatonTensor

/// What one state of a recurrent cell or layer looks like. Source: Gluon `state_info` (parity 1.2, 1.3).
public struct StateInfo: Sendable, Hashable {
    /// Dimensions; a batch of 0 is unknown.
    public var shape: [Int]
    /// Letters of the axes: `NC` for cells, `LNC` for layers.
    public var layout: String
    /// Type of the state.
    public var dtype: DType

    /// See the properties.
    public init(shape: [Int], layout: String = "NC", dtype: DType) {
        self.shape = shape
        self.layout = layout
        self.dtype = dtype
    }
}

/// Makes an initial state from its name and description, as Gluon's `begin_state(func=…)` takes it.
public struct StateFunction {
    private let make: (_ name: String, _ info: StateInfo) -> Tensor

    /// Any function; its result must have the description's shape and type.
    public init(_ make: @escaping (_ name: String, _ info: StateInfo) -> Tensor) { self.make = make }

    /// Zeros.
    public static var zeros: StateFunction { filled(with: ConstantInitializer.zero) }
    /// Ones.
    public static var ones: StateFunction { filled(with: ConstantInitializer.one) }

    /// U(low, high); the numbers belong to seed and name.
    public static func uniform(low: Double = 0, high: Double = 1, seed: UInt64) -> StateFunction {
        StateFunction { name, info in
            let state = Tensor(uninitialized: info.shape, dtype: info.dtype)
            state.fillUniform(low...high, stream: RandomStream(seed: seed, name: name))
            return state
        }
    }

    /// N(loc, scale²); the numbers belong to seed and name.
    public static func normal(loc: Double = 0, scale: Double = 1, seed: UInt64) -> StateFunction {
        StateFunction { name, info in
            let state = Tensor(uninitialized: info.shape, dtype: info.dtype)
            state.fillNormal(mean: loc, standardDeviation: scale, stream: RandomStream(seed: seed, name: name))
            return state
        }
    }

    private static func filled(with initializer: ConstantInitializer) -> StateFunction {
        StateFunction { name, info in
            let state = Tensor(uninitialized: info.shape, dtype: info.dtype)
            initializer.fill(state, stream: RandomStream(seed: 0, name: name))
            return state
        }
    }

    /// The state.
    ///
    /// - Precondition: shape and type are the description's.
    func callAsFunction(_ name: String, _ info: StateInfo) -> Variable {
        let state = make(name, info)
        require(
            state.shape == info.shape && state.dtype == info.dtype,
            "\(name): expected a state \(info.shape) of \(info.dtype.rawValue), got \(state.shape) \(state.dtype.rawValue)"
        )
        return Variable(state)
    }
}
