public import BatonComm
import BatonData
import BatonKernelABI
public import BatonKernels
import BatonNN
import BatonTensor

/// Measures `MachineCosts` in a second or two: the real layers of a model, at the numbers of rows that layouts would
/// give them, on all ranks at once, so that what busy neighbours cost is part of it.
///
/// Collective throughout; every rank gets the same costs, the mean of all.
public struct CostProbe {
    private let configuration: TrainingConfiguration
    private let world: any Communicator
    private let recomputation: Recomputation?
    private let rounds: ProbeRounds

    /// A probe for one training. Not collective yet.
    ///
    /// - Parameters:
    ///   - configuration: what is to be trained.
    ///   - recomputation: how the layers get their gates in the backward pass; nil keeps them.
    public init(_ configuration: TrainingConfiguration, world: any Communicator, recomputation: Recomputation? = nil) {
        self.configuration = configuration
        self.world = world
        self.recomputation = recomputation
        rounds = ProbeRounds(world: world, stepsPerWindow: configuration.stepsPerWindow)
    }

    /// Measures what the forecasts of some candidates need. Collective.
    ///
    /// - Parameters:
    ///   - baseBytes: resident memory of this process before it has a model.
    ///   - room: for memory of several processes; candidates that may need more are left out, if others remain. nil does
    ///     not ask, where candidates have been tried before.
    /// - Throws: `EngineError` for a configuration out of range; `CommError` of the transport. A layout whose shards would
    ///   be on several machines, or have no room, is no error, but named in the costs.
    public func measure(
        _ candidates: [LayoutCandidate], baseBytes: Double, room: SharedRoom? = nil
    ) throws -> MachineCosts {
        try configuration.check()
        let parts = Set(candidates.map { $0.parts(of: configuration) }).sorted()
        var costs = MachineCosts(
            layers: [:], output: [], update: 0, hash: 0, latency: 0, byte: 0, sumByte: [:], sum: 0, baseBytes: 0)
        let shares = shares(parts)
        let needs = LayerNeeds(candidates, configuration)
        var pieces: [(place: Place, piece: ProbePiece)] = []
        var probe: LayerProbe?
        for shards in Set(candidates.map(\.layout.shards)).sorted() {
            if let refusal = try room.flatMap({ room in
                try refusal(room, of: candidates.filter { $0.layout.shards == shards }, in: candidates)
            }) {
                costs.notDivided[shards] = refusal
                continue
            }
            do {
                let probes = try layerProbes(shards: shards, shares)
                probe = probe ?? probes.first
                for (layer, probe) in probes.enumerated() {
                    for share in shares {
                        let rows = share.lanes.count
                        guard let isCut = needs.isCut(rows: rows, shards: shards) else { continue }
                        pieces.append(
                            (
                                .layer(.init(layer: layer), shards: shards),
                                probe.piece(rows: rows, leaves: share.leaves, isCut: isCut)
                            ))
                    }
                }
            } catch let error as CommError where error.kind == .invalid && shards > 1 {
                // Ranks of different machines cannot divide units; they all hear so.
                costs.notDivided[shards] = error.message
            }
        }
        pieces += outputPieces(candidates, shares).map { (.output, $0) }
        for (entry, layer) in zip(pieces, try rounds.measure(pieces.map(\.piece))) {
            switch entry.place {
            case .layer(let kind, let shards): costs.layers[shards, default: [:]][kind, default: []].append(layer)
            case .output: costs.output.append(layer)
            }
        }
        if let probe { (costs.update, costs.hash) = try probe.measureUpdate(rounds) }
        let transport = TransportProbe(world, leafCount: configuration.leafCount)
        if world.size > 1 { (costs.latency, costs.byte) = try transport.messages() }
        // The output layer of stages that share it is summed over all of them.
        let sums =
            candidates.map { $0.layout.replicas }
            + candidates.filter { $0.output == .spread }.map { $0.layout.replicas * $0.layout.stages }
        for replicas in Set(sums).sorted() where replicas > 1 {
            let (sum, byte) = try transport.sum(replicas: replicas)
            costs.sumByte[replicas] = try mean([byte])[0]
            costs.sum = max(costs.sum, try mean([sum])[0])
        }
        let scalars = try mean([costs.latency, costs.byte, baseBytes])
        (costs.latency, costs.byte, costs.baseBytes) = (scalars[0], scalars[1], scalars[2])
        return costs
    }

    /// Why candidates of one number of shards are left out, where there are others: for want of shared memory.
    private func refusal(
        _ room: SharedRoom, of some: [LayoutCandidate], in candidates: [LayoutCandidate]
    ) throws -> String? {
        guard some.count < candidates.count else { return nil }
        let needed = try some.map {
            try MemoryForecast(configuration: configuration, candidate: $0, schedule: nil, recomputation: nil)
                .sharedBytes()
        }
        // The probe, a trial and the run itself take it one after the other.
        return room.refusal(shards: some[0].layout.shards, needed: 3 * (needed.max() ?? 0))
    }

    /// The numbers of rows at which the forecasts of some candidates ask for the costs of a layer.
    struct LayerNeeds {
        /// By shards and rows: whether a candidate cuts the window.
        private var cuts: [[Int]: Bool] = [:]

        init(_ candidates: [LayoutCandidate], _ configuration: TrainingConfiguration) {
            for candidate in candidates {
                let parts = candidate.parts(of: configuration)
                let rows = LayoutCandidate.lanes(
                    LayoutCandidate.fullest(of: parts, configuration), of: parts, configuration)
                cuts[[candidate.layout.shards, rows], default: false] =
                    cuts[[candidate.layout.shards, rows]] == true || candidate.layout.stages > 1
            }
        }

        /// nil where no candidate asks.
        func isCut(rows: Int, shards: Int) -> Bool? { cuts[[shards, rows]] }
    }

    /// Where the costs of a piece go.
    private enum Place {
        case layer(MachineCosts.LayerClass, shards: Int)
        case output
    }

    /// Every class of layers, its units divided by so many ranks. Collective.
    private func layerProbes(shards: Int, _ shares: [RankShare]) throws -> [LayerProbe] {
        let grid =
            shards > 1
            ? try ProcessGrid(ParallelLayout(replicas: world.size / shards, shards: shards), world: world) : nil
        return try (0..<min(2, configuration.model.layers)).map { layer in
            try LayerProbe(
                configuration, layer: layer, grid: grid, recomputation: shards > 1 ? nil : recomputation,
                subtreeCount: shares.map(\.leaves.subtrees.count).max() ?? 1)
        }
    }

    /// The output layer for whole micro-batches and, where stages share it, their parts of them; rows ascending.
    private func outputPieces(_ candidates: [LayoutCandidate], _ shares: [RankShare]) -> [ProbePiece] {
        var leaves: [Int: LeafPlan] = [:]
        for share in shares { leaves[share.lanes.count] = share.leaves }
        for candidate in candidates where candidate.output == .spread {
            for part in candidate.outputParts(of: configuration).joined() where part.leaves.rowCount > 0 {
                leaves[part.leaves.rowCount] = part.leaves
            }
        }
        let probe = OutputProbe(configuration, subtreeCount: leaves.values.map(\.subtrees.count).max() ?? 1)
        return leaves.sorted { $0.key < $1.key }.map { probe.piece(rows: $0.key, leaves: $0.value) }
    }

    /// The fullest part of each division of the batch, each number of rows once, ascending.
    private func shares(_ parts: [Int]) -> [RankShare] {
        var result: [Int: RankShare] = [:]
        for part in parts {
            let share = RankShare(
                lanes: configuration.batch, leafCount: configuration.leafCount,
                rank: LayoutCandidate.fullest(of: part, configuration), size: part)
            if share.lanes.count > 0, result[share.lanes.count] == nil { result[share.lanes.count] = share }
        }
        return result.values.sorted { $0.lanes.count < $1.lanes.count }
    }

    /// The mean over the ranks of every number.
    private func mean(_ values: [Double]) throws -> [Double] {
        let all = try world.allGather(values)
        return values.indices.map { place in all.reduce(0) { $0 + $1[place] } / Double(world.size) }
    }
}
