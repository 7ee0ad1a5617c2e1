public import BatonTensor

/// The name and the parameters of a block under construction.
///
/// A subclass of `Block` makes an outline first, creates its parameters with it, and hands it to `super.init`.
public struct BlockOutline {
    /// Begins the names of the parameters.
    public let prefix: String
    /// In creation order.
    public private(set) var parameters: [(attribute: String, parameter: Parameter)] = []
    let scope: NameScope

    /// - Parameters:
    ///   - prefix: nil takes the hint and a counter (`lstm0_`). Random numbers of initialisation and dropout belong
    ///     to names, so a model that must be reproducible gives its blocks explicit prefixes or builds them in the
    ///     name scope of a block that has one.
    ///   - hint: lower-case class name.
    public init(prefix: String?, hint: String) {
        let full = NameScope.current.prefix(explicit: prefix, hint: hint)
        self.prefix = full
        scope = full.isEmpty ? NameScope.current : NameScope(prefix: full)
    }

    /// Creates a parameter with full name prefix + attribute.
    public mutating func parameter(
        _ attribute: String, shape: [Int], dtype: DType, initializer: (any Initializer)?
    ) -> Parameter {
        let parameter = Parameter(name: prefix + attribute, shape: shape, dtype: dtype, initializer: initializer)
        parameters.append((attribute, parameter))
        return parameter
    }

    /// Adopts a parameter of another block (tied weights).
    public mutating func share(_ parameter: Parameter, as attribute: String) -> Parameter {
        parameters.append((attribute, parameter))
        return parameter
    }
}
