import BatonChecks
import BatonFormats
import BatonTensor

extension WeightRenaming {
    /// The tensors renamed so far.
    struct Result {
        private(set) var tensors: NamedTensors
        private(set) var renamedCount = 0
        private(set) var addedBiasCount = 0

        init(origin: String, metadata: [String: String]) {
            tensors = NamedTensors(origin: origin, metadata: metadata)
        }

        /// Takes a tensor over.
        mutating func put(_ tensor: Tensor?, _ name: String, from original: String?) throws(ModelIOError) {
            guard tensors[name] == nil else {
                throw ModelIOError(
                    "\(tensors.origin) has two tensors that would both be named \(printable(name))"
                        + "\(original.map { ", one of them \(printable($0))" } ?? ""); remove one of them.")
            }
            tensors[name] = tensor
            if let original, original != name { renamedCount += 1 }
        }

        /// Takes a stack over, by layer, direction and role, with biases of zeros where Gluon has some and it has none.
        mutating func put(
            _ source: NamedTensors, _ members: [(parts: RecurrentTensorName, original: String)],
            _ convention: RecurrentTensorName.Convention, prefix: String
        ) throws(ModelIOError) {
            let isBidirectional = members.contains { $0.parts.isReverse }
            var all: [(parts: RecurrentTensorName, original: String?)] = members.map { ($0.parts, $0.original) }
            if convention != .pyTorch {
                all += Self.missingBiases(members.map(\.parts)).map { ($0, nil) }
            }
            all.sort { Self.rank($0.parts) < Self.rank($1.parts) }
            for (parts, original) in all {
                let name = parts.spelled(convention, prefix: prefix, isBidirectional: isBidirectional)
                if let original {
                    try put(source[original], name, from: original)
                } else {
                    let weight = members.first { Self.place($0.parts) == Self.place(parts) && $0.parts.role.isWeight }
                    guard let weight, let rows = source[weight.original] else { continue }
                    try put(Tensor(zeros: [rows.shape.first ?? 0], dtype: rows.dtype), name, from: nil)
                    addedBiasCount += 1
                }
            }
        }

        private static func missingBiases(_ members: [RecurrentTensorName]) -> [RecurrentTensorName] {
            guard !members.contains(where: { $0.role == .inputBias || $0.role == .hiddenBias }) else { return [] }
            return members.filter { $0.role == .inputWeight }.flatMap { weight in
                [RecurrentTensorName.Role.inputBias, .hiddenBias].map { role in
                    RecurrentTensorName(
                        prefix: weight.prefix, convention: weight.convention, layer: weight.layer,
                        isReverse: weight.isReverse, role: role)
                }
            }
        }

        private static func place(_ parts: RecurrentTensorName) -> Int { parts.layer * 2 + (parts.isReverse ? 1 : 0) }

        private static func rank(_ parts: RecurrentTensorName) -> Int {
            // Roles are declared in the order in which Gluon creates parameters.
            place(parts) * 8 + (RecurrentTensorName.Role.allCases.firstIndex(of: parts.role) ?? 0)
        }
    }
}

extension RecurrentTensorName.Role {
    fileprivate var isWeight: Bool { self == .inputWeight }
}
