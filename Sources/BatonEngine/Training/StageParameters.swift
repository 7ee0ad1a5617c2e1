import BatonComm
import BatonNN
import BatonTensor

/// The parameters of a whole model and the pipeline stages that hold them. Values of single parameters are collected
/// from the stages, so that sums over all run in one order everywhere.
struct StageParameters {
    /// Names of all parameters, ascending.
    let names: [String]
    /// Stage of each name.
    private let owners: [Int]
    private let group: any Communicator
    private let ownerOf: [ObjectIdentifier: Int]

    /// - Parameter group: The stages of one replica, numbered by stage.
    init(_ model: LanguageModel, partition: StagePartition, group: any Communicator) {
        let all = model.parametersByLayer.map { ($0.parameter, partition.stage(ofLayer: $0.layer)) }
        let sorted = all.sorted { $0.0.name < $1.0.name }
        names = sorted.map(\.0.name)
        owners = sorted.map(\.1)
        ownerOf = Dictionary(uniqueKeysWithValues: all.map { (ObjectIdentifier($0.0), $0.1) })
        self.group = group
    }

    /// One number for every parameter of the model, in the order of the names. Collective over the stages.
    ///
    /// - Parameter own: those of the parameters that count to this stage, in the order of their names.
    func gather(_ own: [UInt64]) throws(CommError) -> [UInt64] {
        var mine = [UInt64](repeating: 0, count: names.count)
        for (place, value) in zip(owners.indices.filter { owners[$0] == group.rank }, own) { mine[place] = value }
        let all = try group.allGather(mine)
        return owners.enumerated().map { all[$1][$0] }
    }

    /// A tensor that belongs to a parameter, on every stage. Collective over the stages.
    ///
    /// - Parameter own: the tensor, on the stage to which the parameter counts; shared, not copied.
    func whole(_ own: Tensor?, of parameter: Parameter) throws(CommError) -> Tensor {
        let tensor = own ?? Tensor(uninitialized: parameter.shape, dtype: parameter.dtype)
        try group.broadcast(tensor.bytes, from: ownerOf[ObjectIdentifier(parameter)] ?? 0)
        return tensor
    }

    /// Whether a parameter counts to this stage; others may have a copy of it.
    func counts(_ parameter: Parameter) -> Bool { ownerOf[ObjectIdentifier(parameter)] == group.rank }
}
