public import BatonTensor

extension Block {
    /// Own parameters, then the children's, depth first in registration order; a shared parameter once.
    ///
    /// Reversed, it is the order in which the backward pass completes gradients, if children are registered in the
    /// order in which they run.
    public final func collectParameters() -> [Parameter] {
        var seen: Set<ObjectIdentifier> = []
        var result: [Parameter] = []
        collect(into: &result, &seen)
        return result
    }

    private func collect(into result: inout [Parameter], _ seen: inout Set<ObjectIdentifier>) {
        for (_, parameter) in parameters where seen.insert(ObjectIdentifier(parameter)).inserted {
            result.append(parameter)
        }
        for (_, child) in children { child.collect(into: &result, &seen) }
    }

    /// The parameters of the block and of those below it, by full name.
    ///
    /// - Parameter select: a regular expression that full names must match from their start, for instance
    ///   `.*weight|lstm0_.*`; nil selects all.
    /// - Throws: `NNError` for a bad expression, and for two different parameters of one name.
    /// - Source: Gluon `Block.collect_params`.
    public final func collectParams(select: String? = nil) throws(NNError) -> ParameterDict {
        var pattern: Regex<AnyRegexOutput>?
        if let select {
            do { pattern = try Regex(select) } catch {
                throw NNError("'\(select)' is no regular expression; write for example '.*weight' (\(error))")
            }
        }
        let result = ParameterDict(prefix: params.prefix)
        try collect(into: result, pattern)
        return result
    }

    private func collect(into result: ParameterDict, _ pattern: Regex<AnyRegexOutput>?) throws(NNError) {
        let own = ParameterDict()
        for (_, parameter) in parameters {
            if let pattern, (try? pattern.prefixMatch(in: parameter.name)) == nil { continue }
            own.insert(parameter, name: parameter.name)
        }
        try result.update(own)
        for (_, child) in children { try child.collect(into: result, pattern) }
    }

    /// Initialises all parameters that have no values yet; those of unknown shape as soon as it is known.
    ///
    /// - Parameters:
    ///   - initializer: for parameters without their own. Gluon's default is U(−0.07, 0.07).
    ///   - seed: of the run; the numbers depend on it and on the parameters' names only.
    ///   - force: initialise again what has values.
    public final func initialize(
        _ initializer: any Initializer = UniformInitializer(), seed: UInt64 = 0, force: Bool = false
    ) {
        for parameter in collectParameters() where force || !parameter.isInitialized {
            parameter.initialize(initializer, seed: seed)
        }
    }
}
