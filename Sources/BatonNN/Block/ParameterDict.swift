public import BatonTensor

/// Parameters by full name, in the order of their creation. Source: Gluon `ParameterDict` (parity 1.9, 3.2).
public final class ParameterDict: CustomStringConvertible {
    /// Begins the names of parameters made with `get`.
    public let prefix: String
    /// Where `get` looks before it makes a parameter.
    public let shared: ParameterDict?
    /// Full names in creation order.
    public private(set) var names: [String] = []
    private var byName: [String: Parameter] = [:]

    /// An empty dictionary.
    public init(prefix: String = "", shared: ParameterDict? = nil) {
        self.prefix = prefix
        self.shared = shared
    }

    /// In creation order.
    public var parameters: [Parameter] { names.compactMap { byName[$0] } }
    /// Number of parameters.
    public var count: Int { names.count }

    /// The parameter of a full name.
    public subscript(name: String) -> Parameter? { byName[name] }

    /// The parameter named prefix + `name`: the dictionary's own, else the shared one, else a new one.
    ///
    /// Unknown dimensions of a parameter that is there are filled from `shape`.
    ///
    /// - Throws: `NNError` if a parameter that is there has another shape or type; the message names it and both.
    public func get(
        _ name: String, shape: [Int], dtype: DType = .float32, initializer: (any Initializer)? = nil,
        gradientRequirement: GradientRequirement = .write
    ) throws(NNError) -> Parameter {
        let full = prefix + name
        guard let existing = find(full) else {
            let made = Parameter(
                name: full, shape: shape, dtype: dtype, initializer: initializer,
                gradientRequirement: gradientRequirement)
            insert(made, name: full)
            return made
        }
        guard existing.dtype == dtype else {
            throw NNError(
                "Parameter \(full) is \(existing.dtype.rawValue) where it is shared and \(dtype.rawValue) was asked for; cast one of the blocks."
            )
        }
        guard existing.agrees(with: shape) else {
            throw NNError(
                "Parameter \(full) has the shape \(existing.shape) where it is shared and \(shape) was asked for; share only between blocks of equal sizes."
            )
        }
        existing.completeShape(zip(existing.shape, shape).map { $0 == 0 ? $1 : $0 })
        return existing
    }

    /// A parameter named prefix + `name` that holds given values and is not trained; initialising it gives it them again.
    ///
    /// - Throws: `NNError` if one of that name is there with another shape, type or values.
    public func getConstant(_ name: String, _ values: Tensor) throws(NNError) -> Parameter {
        let known = find(prefix + name) != nil
        let given = GivenValues(values)
        let parameter = try get(
            name, shape: values.shape, dtype: values.dtype, initializer: given, gradientRequirement: .null)
        if !known {
            parameter.setData(values)
        } else if !parameter.isInitialized || GivenValues(parameter.data) != given {
            throw NNError("Constant \(parameter.name) is there with other values; give the new one another name.")
        }
        return parameter
    }

    /// Adds all parameters of another dictionary under their names.
    ///
    /// - Throws: `NNError` if another parameter has one of these names.
    public func update(_ other: ParameterDict) throws(NNError) {
        for name in other.names {
            guard let parameter = other[name] else { continue }
            if let existing = byName[name], existing !== parameter {
                throw NNError(
                    "Two different parameters are named \(name); give one of the blocks another prefix or share the parameter."
                )
            }
            insert(parameter, name: name)
        }
    }

    /// Initialises all parameters that have no values yet, or with `force` all.
    public func initialize(
        _ initializer: any Initializer = UniformInitializer(), seed: UInt64 = 0, force: Bool = false
    ) {
        for parameter in parameters where force || !parameter.isInitialized {
            parameter.initialize(initializer, seed: seed)
        }
    }

    /// Takes over values by full names. Nothing is changed unless everything fits.
    ///
    /// - Parameters:
    ///   - restorePrefix: put before the names of the values, as Gluon's `restore_prefix`.
    ///   - allowMissing, ignoreExtra, castDType, dtypeSource: as of `Block.load`.
    /// - Throws: `NNError` as `Block.load`.
    public func load(
        _ values: [(name: String, values: Tensor)], allowMissing: Bool = false, ignoreExtra: Bool = false,
        restorePrefix: String = "", castDType: Bool = false, dtypeSource: DTypeSource = .current
    ) throws(NNError) {
        let names = ParameterValues.bare(values.map(\.name)).map { restorePrefix + $0 }
        try ParameterValues(values: zip(names, values).map { (name: $0, values: $1.values) }).fill(
            self.names.compactMap { name in byName[name].map { (name, $0) } }, byName, allowMissing: allowMissing,
            ignoreExtra: ignoreExtra, castDType: castDType, dtypeSource: dtypeSource)
    }

    /// Zeroes all gradients.
    public func zeroGradients() { for parameter in parameters { parameter.zeroGradient() } }

    /// Changes every parameter (Gluon's `setattr`): `dictionary.forEach { $0.gradientRequirement = .null }`.
    public func forEach(_ body: (Parameter) throws -> Void) rethrows { try parameters.forEach(body) }

    /// Prefix and one line per parameter.
    public var description: String {
        let head = prefix.isEmpty ? "" : prefix + " "
        return ([head + "("] + parameters.map { "  \($0)" } + [")"]).joined(separator: "\n")
    }

    /// Adds or replaces an entry; names of shared entries may differ from the parameters' own.
    func insert(_ parameter: Parameter, name: String) {
        if byName.updateValue(parameter, forKey: name) == nil { names.append(name) }
    }

    private func find(_ full: String) -> Parameter? {
        if let own = byName[full] { return own }
        guard let parameter = shared?.findShared(full) else { return nil }
        insert(parameter, name: full)
        return parameter
    }

    private func findShared(_ full: String) -> Parameter? { byName[full] ?? shared?.findShared(full) }
}

/// Fills a constant with what it was made with.
private struct GivenValues: Initializer, Equatable {
    let shape: [Int]
    let dtype: DType
    /// Bit for bit, so that NaN equals itself.
    let bytes: [UInt8]

    init(_ values: Tensor) {
        (shape, dtype) = (values.shape, values.dtype)
        bytes = Array(UnsafeRawBufferPointer(start: values.rawPointer, count: values.byteCount))
    }

    func fill(_ tensor: Tensor, stream: RandomStream) {
        let values = Tensor(uninitialized: shape, dtype: dtype)
        UnsafeMutableRawBufferPointer(start: values.rawPointer, count: values.byteCount).copyBytes(from: bytes)
        tensor.copyElements(from: tensor.dtype == dtype ? values : values.cast(to: tensor.dtype))
    }
}
