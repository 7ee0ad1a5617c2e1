public import BatonComm
import BatonData
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// Measures `MachineCosts` in a second or two: the real layers of a model, at the numbers of rows that layouts would
/// give them, on all ranks at once, so that what busy neighbours cost is part of it.
///
/// Collective throughout; every rank gets the same costs, the mean of all.
public struct CostProbe {
    private let configuration: TrainingConfiguration
    private let world: any Communicator
    /// About how long one pass over a layer's window may take; longer windows are measured by their first steps.
    private let passSeconds = 0.03
    private let repetitions = 3

    /// - Parameter configuration: what is to be trained.
    public init(_ configuration: TrainingConfiguration, world: any Communicator) {
        self.configuration = configuration
        self.world = world
    }

    /// Measures what the forecasts of some candidates need. Collective.
    ///
    /// - Parameter baseBytes: resident memory of this process before it has a model.
    public func measure(_ candidates: [LayoutCandidate], baseBytes: Double) throws -> MachineCosts {
        try configuration.check()
        let parts = Set(candidates.map { $0.parts(of: configuration) }).sorted()
        var costs = MachineCosts(
            layers: [:], update: 0, hash: 0, latency: 0, byte: 0, sumByte: [:], sum: 0, baseBytes: 0)
        for shards in Set(candidates.map(\.layout.shards)).sorted() {
            do {
                let (layers, update, hash) = try measureLayers(shards: shards, parts)
                costs.layers[shards] = layers
                if shards == 1 || costs.hash == 0 { (costs.update, costs.hash) = (update, hash) }
            } catch let error as CommError where error.kind == .invalid && shards > 1 {
                // Ranks of different machines cannot divide units; they all hear so.
                costs.notDivided[shards] = error.message
            }
        }
        let transport = TransportProbe(world, leafCount: configuration.leafCount)
        if world.size > 1 { (costs.latency, costs.byte) = try transport.messages() }
        for replicas in Set(candidates.map(\.layout.replicas)).sorted() where replicas > 1 {
            let (sum, byte) = try transport.sum(replicas: replicas)
            costs.sumByte[replicas] = try mean([byte])[0]
            costs.sum = max(costs.sum, try mean([sum])[0])
        }
        let scalars = try mean([costs.update, costs.hash, costs.latency, costs.byte, baseBytes])
        (costs.update, costs.hash, costs.latency) = (scalars[0], scalars[1], scalars[2])
        (costs.byte, costs.baseBytes) = (scalars[3], scalars[4])
        return costs
    }

    /// Every class of layers, its units divided by so many ranks; and what a step costs for each parameter.
    private func measureLayers(
        shards: Int, _ parts: [Int]
    ) throws -> (layers: [MachineCosts.LayerClass: [MachineCosts.Layer]], update: Double, hash: Double) {
        let grid =
            shards > 1
            ? try ProcessGrid(ParallelLayout(replicas: world.size / shards, shards: shards), world: world) : nil
        let count = configuration.model.layers
        var layers: [MachineCosts.LayerClass: [MachineCosts.Layer]] = [:]
        var (update, hash) = (0.0, 0.0)
        for layer in Set([0, count > 2 ? 1 : 0, count - 1]).sorted() {
            var measured: [MachineCosts.Layer] = []
            let probe = try LayerProbe(configuration, layer: layer, grid: grid, repetitions: repetitions)
            for part in parts {
                let share = RankShare(
                    lanes: configuration.batch, leafCount: configuration.leafCount,
                    rank: LayoutCandidate.fullest(of: part, configuration), size: part)
                let rows = share.lanes.count
                guard rows > 0, !measured.contains(where: { $0.rows == rows }) else { continue }
                try world.barrier()
                measured.append(
                    try probe.measure(rows: rows, leaves: share.leaves, passSeconds: passSeconds) { try mean([$0])[0] })
            }
            layers[.init(layer: layer, of: count)] = try mean(measured)
            if layer == count - 1 {
                try world.barrier()
                (update, hash) = try probe.measureUpdate()
            }
        }
        return (layers, update, hash)
    }

    /// The mean over the ranks of every number.
    private func mean(_ values: [Double]) throws -> [Double] {
        var all = [Double](repeating: 0, count: values.count * world.size)
        try values.withUnsafeBytes { own in
            try all.withUnsafeMutableBytes { try world.allGather(own, into: $0) }
        }
        return values.indices.map { place in
            (0..<world.size).reduce(0) { $0 + all[$1 * values.count + place] } / Double(world.size)
        }
    }

    private func mean(_ layers: [MachineCosts.Layer]) throws -> [MachineCosts.Layer] {
        let numbers = try mean(layers.flatMap { [$0.begin, $0.forward, $0.backward, $0.weights, $0.call] })
        return layers.enumerated().map { place, layer in
            let own = Array(numbers[5 * place..<5 * place + 5])
            return MachineCosts.Layer(
                rows: layer.rows, begin: own[0], forward: own[1], backward: own[2], weights: own[3], call: own[4])
        }.sorted { $0.rows < $1.rows }
    }
}
