import BatonChecks
import BatonTensor

/// Values out of a file, on their way to parameters.
struct ParameterValues {
    /// With MXNet's prefixes dropped.
    let values: [(name: String, values: Tensor)]

    /// Without the `arg:` or `aux:` that MXNet puts before names of parameters in files.
    static func bare(_ names: [String]) -> [String] {
        names.map { $0.hasPrefix("arg:") || $0.hasPrefix("aux:") ? String($0.dropFirst(4)) : $0 }
    }

    /// Replaces the values of parameters. Nothing is changed unless everything fits.
    ///
    /// - Parameters:
    ///   - names: the parameters that need values, by the names that messages call them.
    ///   - targets: under which names values may come.
    /// - Throws: `NNError` as `Block.load` says.
    func fill(
        _ names: [(name: String, parameter: Parameter)], _ targets: [String: Parameter], allowMissing: Bool,
        ignoreExtra: Bool, castDType: Bool, dtypeSource: DTypeSource
    ) throws(NNError) {
        let present = Set(values.map(\.name).compactMap { targets[$0].map { ObjectIdentifier($0) } })
        if !allowMissing, let lost = names.first(where: { !present.contains(ObjectIdentifier($0.parameter)) }) {
            throw NNError(
                "Parameter \(lost.name) is missing; there are \(Self.list(values.map(\.name))). \(Self.remedy(values.map(\.name)))"
            )
        }
        var fitting: [(parameter: Parameter, values: Tensor)] = []
        var shapes: [ObjectIdentifier: [Int]] = [:]
        var seen: Set<String> = []
        for (name, tensor) in values {
            guard seen.insert(name).inserted else {
                throw NNError("There are values for \(printable(name)) twice; keep one of them.")
            }
            guard let parameter = targets[name] else {
                if ignoreExtra { continue }
                throw NNError(
                    "There are values for \(printable(name)), but no such parameter; there are \(Self.list(names.map(\.name))). Ignore extra values to pass over them."
                )
            }
            guard parameter.agrees(with: tensor.shape), !tensor.shape.contains(0) else {
                throw NNError(
                    "Parameter \(name) has the shape \(parameter.shape), but its values have \(tensor.shape); build the block with the sizes it was saved with."
                )
            }
            guard parameter.dtype == tensor.dtype || castDType && tensor.dtype.isFloatingPoint else {
                throw NNError(
                    "Parameter \(name) is \(parameter.dtype.rawValue), but its values are \(tensor.dtype.rawValue); cast the block, or allow casting."
                )
            }
            guard parameter.dtype == tensor.dtype || dtypeSource == .current || !parameter.isInArena else {
                throw NNError(
                    "Parameter \(name) is \(parameter.dtype.rawValue) in the memory of a trainer, its values are \(tensor.dtype.rawValue); load them before the trainer is made, or keep the current type."
                )
            }
            guard shapes.updateValue(tensor.shape, forKey: ObjectIdentifier(parameter)) ?? tensor.shape == tensor.shape
            else {
                throw NNError(
                    "Parameter \(name) stands in several places, and there are values of different shapes for it, \(tensor.shape) among them; save the block again."
                )
            }
            fitting.append((parameter, tensor))
        }
        for (parameter, tensor) in fitting {
            if parameter.dtype != tensor.dtype, dtypeSource == .saved { parameter.cast(to: tensor.dtype) }
            parameter.setData(tensor.dtype == parameter.dtype ? tensor : tensor.cast(to: parameter.dtype))
        }
    }

    /// What to do about missing names. Those of PyTorch can be read as others.
    private static func remedy(_ names: [String]) -> String {
        names.contains { $0.contains("weight_ih_l") }
            ? "These are PyTorch's names: rename them with WeightRenaming, or make the layer of RecurrentStackWeights."
            : "Allow missing parameters to keep their values."
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(8).map { printable($0) }.joined(separator: ", ")
        return names.isEmpty ? "none" : names.count > 8 ? "\(shown), … (\(names.count))" : shown
    }
}
