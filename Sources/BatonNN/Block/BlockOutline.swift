public import BatonTensor

/// The name and the parameters of a block under construction.
///
/// A subclass of `Block` makes an outline first, creates its parameters and its children with it, and hands it to
/// `super.init`:
///
///     public init(prefix: String? = nil) {
///         let outline = BlockOutline(prefix: prefix, hint: "tagger")
///         (table, layer) = outline.nameScope { (Embedding(inputDim: 9, outputDim: 4), GRU(hiddenSize: 8)) }
///         super.init(outline)
///         register(children: [("table", table), ("layer", layer)])
///     }
public struct BlockOutline {
    /// Begins the name of the block and of those made in its scope.
    public let prefix: String
    /// The block's own parameters by full name; its prefix is that of a dictionary it shares, if it shares one.
    public let params: ParameterDict
    /// In creation order.
    public private(set) var parameters: [(attribute: String, parameter: Parameter)] = []
    let scope: NameScope

    /// - Parameters:
    ///   - prefix: nil takes the hint and a counter (`lstm0_`). Random numbers of initialisation and dropout belong
    ///     to names, so a model that must be reproducible gives its blocks explicit prefixes or builds them in the
    ///     name scope of a block that has one.
    ///   - hint: lower-case class name.
    ///   - params: the parameters of another block, which this one uses instead of new ones wherever it asks for one
    ///     that is there. Parameters it has to make get names that begin with the dictionary's prefix.
    public init(prefix: String?, hint: String, params: ParameterDict? = nil) {
        let outer = NameScope.current
        let relative = outer.relativePrefix(explicit: prefix, hint: hint)
        let full = outer.full(relative)
        self.prefix = full
        if let params {
            self.params = ParameterDict(prefix: params.prefix, shared: params)
        } else {
            self.params = ParameterDict(prefix: outer.parameterPrefix + relative, shared: outer.shared?.dictionary)
        }
        scope =
            relative.isEmpty && params == nil
            ? outer
            : NameScope(
                prefix: full, parameterPrefix: self.params.prefix,
                shared: self.params.shared.map { SharedParameters(dictionary: $0) },
                counting: relative.isEmpty ? outer : nil)
    }

    /// A block that takes a name made elsewhere and has no parameters of its own but shows another's.
    init(fullPrefix: String, params: ParameterDict) {
        prefix = fullPrefix
        self.params = params
        scope = NameScope(prefix: fullPrefix, parameterPrefix: fullPrefix, shared: nil)
    }

    /// Creates a parameter with full name prefix + attribute, or takes the shared one of that name.
    ///
    /// - Precondition: a shared parameter has that shape, but for unknown dimensions, and that type.
    public mutating func parameter(
        _ attribute: String, shape: [Int], dtype: DType, initializer: (any Initializer)?
    ) -> Parameter {
        let parameter = trapping {
            () throws(NNError) in
            try params.get(attribute, shape: shape, dtype: dtype, initializer: initializer)
        }
        parameters.append((attribute, parameter))
        return parameter
    }

    /// Adopts a parameter of another block (tied weights).
    public mutating func share(_ parameter: Parameter, as attribute: String) -> Parameter {
        params.insert(parameter, name: parameter.name)
        parameters.append((attribute, parameter))
        return parameter
    }

    /// Blocks created in `body` get this block's prefix before theirs, and take over the parameters it shares.
    public func nameScope<Result>(_ body: () throws -> Result) rethrows -> Result {
        try NameScope.$current.withValue(scope, operation: body)
    }
}
