import BatonChecks
import BatonTensor

/// Names of the parameters of one layer and direction in a weights file.
public struct RecurrentDirectionNames: Hashable, Sendable {
    /// The input weight's name.
    public let inputWeight: String
    /// The hidden weight's name.
    public let hiddenWeight: String
    /// The input bias' name; nil when the stack has no biases.
    public let inputBias: String?
    /// The hidden bias' name; nil when the stack has no biases.
    public let hiddenBias: String?
    /// The projection's name; nil when h is not projected.
    public let projectionWeight: String?

    /// All names: input weight, hidden weight, then the biases and the projection, if any.
    public var all: [String] {
        [inputWeight, hiddenWeight] + [inputBias, hiddenBias, projectionWeight].compactMap { $0 }
    }
}

/// The parameters of the one recurrent stack in a weights file, by layer and direction.
public struct RecurrentWeightNames: Hashable, Sendable {
    /// L.
    public let layerCount: Int
    /// D: 1, or 2 with both directions.
    public let directionCount: Int
    /// Whether there are bias tensors.
    public let hasBiases: Bool
    /// Whether h is projected.
    public let hasProjections: Bool
    /// One per layer and direction, entry l·D + d.
    public let directions: [RecurrentDirectionNames]

    /// Finds the stack among the names of a file; tensors of other kinds are left alone.
    ///
    /// - Parameter origin: the file, for messages.
    /// - Throws: `ModelIOError` when there is no stack or more than one, or a layer, direction or tensor is missing.
    public init(_ names: [String], origin: String) throws(ModelIOError) {
        let found = names.compactMap { name in RecurrentTensorName(name).map { (name, $0) } }
        let stacks = Set(found.map { Stack(prefix: $0.1.prefix, convention: $0.1.convention) })
        guard !found.isEmpty else {
            throw ModelIOError(
                "\(origin) holds no recurrent weights: expected names such as weight_ih_l0 (PyTorch) or l0_i2h_weight "
                    + "(Gluon), found \(names.isEmpty ? "no tensor" : names.prefix(3).map { printable($0) }.joined(separator: ", "))."
            )
        }
        guard stacks.count == 1 else {
            let prefixes = stacks.map { "'\(printable($0.prefix))' (\($0.convention.rawValue))" }.sorted().joined(
                separator: ", ")
            throw ModelIOError(
                "\(origin) holds more than one recurrent stack, with prefixes \(prefixes); save the one to run alone.")
        }
        var table: [Place: String] = [:]
        for (name, parts) in found {
            let place = Place(layer: parts.layer, isReverse: parts.isReverse, role: parts.role)
            if let other = table.updateValue(name, forKey: place) {
                throw ModelIOError(
                    "\(origin): tensors \(printable(other)) and \(printable(name)) are the same parameter; keep one of them."
                )
            }
        }
        let layers = (found.map(\.1.layer).max() ?? 0) + 1
        let ways = found.contains { $0.1.isReverse } ? [false, true] : [false]
        let biases = found.contains { $0.1.role == .inputBias || $0.1.role == .hiddenBias }
        let projections = found.contains { $0.1.role == .projectionWeight }
        var directions: [RecurrentDirectionNames] = []
        for layer in 0..<layers {
            for isReverse in ways {
                func name(_ role: RecurrentTensorName.Role) throws(ModelIOError) -> String {
                    if let name = table[Place(layer: layer, isReverse: isReverse, role: role)] { return name }
                    throw ModelIOError(
                        "\(origin): the \(role.words) of layer \(layer)\(isReverse ? ", reverse direction," : "") is "
                            + "missing among \(counted(found.count, "tensor")) of \(counted(layers, "layer")) and "
                            + "\(counted(ways.count, "direction")); save the whole stack.")
                }
                directions.append(
                    RecurrentDirectionNames(
                        inputWeight: try name(.inputWeight), hiddenWeight: try name(.hiddenWeight),
                        inputBias: biases ? try name(.inputBias) : nil,
                        hiddenBias: biases ? try name(.hiddenBias) : nil,
                        projectionWeight: projections ? try name(.projectionWeight) : nil))
            }
        }
        layerCount = layers
        directionCount = ways.count
        hasBiases = biases
        hasProjections = projections
        self.directions = directions
    }

    private struct Stack: Hashable {
        let prefix: String
        let convention: RecurrentTensorName.Convention
    }

    private struct Place: Hashable {
        let layer: Int
        let isReverse: Bool
        let role: RecurrentTensorName.Role
    }
}

extension RecurrentTensorName.Role {
    /// The role in words, with the names of both libraries.
    fileprivate var words: String {
        switch self {
        case .inputWeight: "input weight (weight_ih, i2h_weight)"
        case .hiddenWeight: "hidden weight (weight_hh, h2h_weight)"
        case .inputBias: "input bias (bias_ih, i2h_bias)"
        case .hiddenBias: "hidden bias (bias_hh, h2h_bias)"
        case .projectionWeight: "projection (weight_hr, h2r_weight)"
        }
    }
}
