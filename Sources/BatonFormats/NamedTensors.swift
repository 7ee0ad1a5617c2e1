public import BatonTensor

/// An ordered collection of tensors by name, with text metadata: what a weights file holds.
///
/// The order is the order of insertion. Names that Unicode regards as equal are one name. Not Sendable, because
/// tensors are not; the tensors share memory with whoever put them in.
public struct NamedTensors {
    /// Where the tensors come from (a file's path), named in messages.
    public var origin: String
    /// The names in order.
    public private(set) var names: [String] = []
    /// Free text by key: configuration, versions, provenance.
    public var metadata: [String: String]
    private var tensors: [String: Tensor] = [:]

    /// An empty collection.
    public init(origin: String = "memory", metadata: [String: String] = [:]) {
        self.origin = origin
        self.metadata = metadata
    }

    /// Number of tensors.
    public var count: Int { names.count }
    /// Whether there is no tensor.
    public var isEmpty: Bool { names.isEmpty }

    /// The tensor of a name; assigning replaces it in place or appends it, and `nil` removes it.
    public subscript(name: String) -> Tensor? {
        get { tensors[name] }
        set {
            if let newValue {
                if tensors.updateValue(newValue, forKey: name) == nil { names.append(name) }
            } else if tensors.removeValue(forKey: name) != nil {
                names.removeAll { $0 == name }
            }
        }
    }

    /// Names and tensors in order.
    public var entries: [(name: String, tensor: Tensor)] {
        names.compactMap { name in tensors[name].map { (name, $0) } }
    }

    /// The tensor of a name, of exactly this shape and element type.
    ///
    /// - Throws: `FormatError` (`missingTensor`, `unexpectedTensor`) that names the tensor and both shapes and types.
    public func required(_ name: String, shape: [Int], dtype: DType) throws(FormatError) -> Tensor {
        guard let tensor = tensors[name] else {
            throw FormatError(
                .missingTensor,
                "\(origin) has no tensor \(FormatError.quote(name)) of shape \(shape); "
                    + "use a file that was saved from the same model.")
        }
        guard tensor.shape == shape && tensor.dtype == dtype else {
            throw FormatError(
                .unexpectedTensor,
                "\(origin): tensor \(FormatError.quote(name)) is \(tensor.dtype.rawValue) \(tensor.shape) where "
                    + "\(dtype.rawValue) \(shape) is expected; use a file that was saved from the same model.")
        }
        return tensor
    }
}
