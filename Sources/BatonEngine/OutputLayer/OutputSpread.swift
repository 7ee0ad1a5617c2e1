import BatonChecks
import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// The output layer of a training step on all stages of a pipeline (see `OutputPlacement.spread`).
///
/// The last stage sends h of a chunk to the other stages as soon as it has it, and needs the gradient when the chunk is
/// walked back. In between a stage runs its part when it would wait for something else, or before it walks back: what
/// it runs when decides no numbers, because parts have nothing in common but the sum of the weight gradients, which
/// follows the leaves.
final class OutputSpread: PolledReduction {
    /// A message with the number it has in the step.
    private struct Unit {
        var microBatch: Int
        var chunk: Int
    }

    /// First tag of the sum of gradients, beyond those of actions: the stages may be the whole world.
    private static let sumTag = 1 << 18

    private let stage: LanguageModelStage
    private let configuration: TrainingConfiguration
    private let parts: OutputParts
    private let schedule: PipelineSchedule
    private let grid: ProcessGrid
    private let arena: ParameterArena
    private let reduction: DataParallelReduction
    private let companion: PolledReduction
    /// Chunks in the order in which the last stage finishes them.
    private let order: [Unit]

    /// Of this stage, by micro-batch.
    private var shares: [OutputShare] = []
    /// On the last stage: the rows of the others, by stage and micro-batch.
    private var remote: [[OutputRows]] = []
    private var sends: [any Request] = []
    /// Chunks that have not come yet, in order; on other stages than the last.
    private var arriving: [(unit: Unit, request: any Request)] = []
    /// Gradients that have not come yet, by tag and stage; on the last stage.
    private var returning: [[Int: any Request]] = []
    /// Micro-batches that will still add to the gradient.
    private var remaining = 0

    /// - Parameter companion: moved along with the messages.
    init(
        _ configuration: TrainingConfiguration, stage: LanguageModelStage, arena: ParameterArena, parts: OutputParts,
        schedule: PipelineSchedule, grid: ProcessGrid, companion: PolledReduction
    ) {
        self.configuration = configuration
        self.stage = stage
        self.arena = arena
        self.parts = parts
        self.schedule = schedule
        self.grid = grid
        self.companion = companion
        order = schedule.ranks[schedule.shape.stages - 1].filter { $0.kind == .forward }
            .map { Unit(microBatch: $0.microBatch, chunk: $0.chunk) }
        reduction = DataParallelReduction(
            arena, gradients: parts.sums.roots.map { arena.gradients[$0] }, slots: Self.slots(of: stage.model),
            leafCount: configuration.leafCount, communicator: grid.world, firstTag: Self.sumTag)
        super.init()
    }

    /// Where the output layer's parameters stand in an arena of the reversed parameters of a model: first.
    static func slots(of model: LanguageModel) -> Range<Int> { 0..<model.decoder.collectParameters().count }

    private var isLast: Bool { grid.place.stage == grid.layout.stages - 1 }
    private var decoder: [Parameter] { stage.model.decoder.collectParameters() }

    /// Prepares a window.
    ///
    /// - Parameter targets: of every micro-batch, (T, N).
    func begin(targets: [Tensor]) throws(CommError) {
        guard let product = stage.decoder(training: true) else {
            fatalError("OutputSpread: this stage does not hold the output layer")
        }
        let model = configuration.model
        let own = parts.parts[grid.place.stage]
        shares = zip(own, targets).map { part, targets in
            OutputShare(
                part, product: product, targets: targets, width: model.hidden, vocabulary: model.vocabularySize,
                gradientScale: configuration.gradientScale)
        }
        remaining = targets.count
        remote = []
        returning = []
        if isLast {
            for stage in 0..<grid.place.stage {
                remote.append(
                    parts.parts[stage].map {
                        OutputRows(rows: $0.rows, steps: configuration.stepsPerWindow, width: model.hidden)
                    })
                returning.append([:])
                for unit in order where !isEmpty(unit, stage) {
                    let tag = tag(unit, isGradient: true)
                    returning[stage][tag] = try grid.stageGroup.immediateReceive(
                        into: remote[stage][unit.microBatch].gradient[leading: steps(unit)].bytes, from: stage,
                        tag: tag)
                }
            }
        } else {
            arriving = []
            for unit in order where !isEmpty(unit, grid.place.stage) {
                let landing = shares[unit.microBatch].rows.hidden[leading: steps(unit)].bytes
                arriving.append(
                    (
                        unit,
                        try grid.stageGroup.immediateReceive(
                            into: landing, from: grid.layout.stages - 1, tag: tag(unit, isGradient: false))
                    ))
            }
        }
    }

    /// On the last stage, after the layers of a chunk: sends h to the others and runs the own rows.
    func spread(_ action: ScheduleAction, output: Tensor) throws(CommError) {
        let unit = Unit(microBatch: action.microBatch, chunk: action.chunk)
        for (stage, rows) in remote.enumerated() where !isEmpty(unit, stage) {
            rows[unit.microBatch].take(steps(unit), from: output)
            sends.append(
                try grid.stageGroup.immediateSend(
                    UnsafeRawBufferPointer(rows[unit.microBatch].hidden[leading: steps(unit)].bytes), to: stage,
                    tag: tag(unit, isGradient: false)))
        }
        shares[unit.microBatch].rows.take(steps(unit), from: output)
        try run(unit)
    }

    /// On the last stage, before a chunk is walked back: brings the gradient of h of all rows together.
    ///
    /// - Parameter transfers: polled while the others are waited for.
    func collect(_ action: ScheduleAction, into gradient: Tensor, _ transfers: StageTransfers) throws(CommError) {
        let unit = Unit(microBatch: action.microBatch, chunk: action.chunk)
        for stage in remote.indices where !isEmpty(unit, stage) {
            guard let request = returning[stage].removeValue(forKey: tag(unit, isGradient: true)) else { continue }
            var waiting = grid.stageGroup.waitPolicy.begin()
            while try !request.test() {
                try transfers.poll()
                if waiting.exceeds(grid.stageGroup.waitLimit) {
                    throw .timeout(request.purpose, since: grid.stageGroup.waitLimit)
                }
            }
            remote[stage][unit.microBatch].give(steps(unit), to: gradient)
        }
        shares[unit.microBatch].rows.give(steps(unit), to: gradient)
    }

    /// Runs the next chunk of the own rows, if it has come.
    override func work() throws(CommError) -> Bool {
        guard let next = arriving.first, try next.request.test() else { return false }
        arriving.removeFirst()
        try run(next.unit)
        sends.append(
            try grid.stageGroup.immediateSend(
                UnsafeRawBufferPointer(shares[next.unit.microBatch].rows.gradient[leading: steps(next.unit)].bytes),
                to: grid.layout.stages - 1, tag: tag(next.unit, isGradient: true)))
        return true
    }

    /// Runs the own rows of a chunk, as the action the simulator knows.
    private func run(_ unit: Unit) throws(CommError) {
        var watch = StopWatch(trace)
        try shares[unit.microBatch].run(steps(unit), poll: poll)
        _ = watch.lap(
            .output,
            .action(
                ScheduleAction(.output, stage: grid.place.stage, microBatch: unit.microBatch, chunk: unit.chunk)))
    }

    /// Adds the gradients of the output layer over a micro-batch, whose chunks have all been walked back.
    func backwardWeights(microBatch: Int, hook: StepHook) {
        let gradients = parts.sums.gradients[microBatch]
        if !gradients.isEmpty {
            for parameter in decoder { parameter.selectedGradients = gradients }
            let destinations = decoder.map { $0.gradientDestinations(gradients.count) }
            shares[microBatch].backwardWeights(
                destinations[0], bias: destinations.count > 1 ? destinations[1] : nil, hook: hook)
            for parameter in decoder { parameter.selectedGradients = nil }
        }
        remaining -= 1
        guard remaining == 0 else { return }
        for (slot, parameter) in zip(Self.slots(of: stage.model), decoder.reversed()) {
            parts.sums.combine(arena, elements: arena.slots[slot].range)
            reduction.ready(parameter)
        }
    }

    /// Waits for the messages and the sum of gradients, and returns the loss of the rank's leaves. Collective.
    func finish() throws(CommError) -> [LeafTotals] {
        while let first = sends.first {
            try first.wait(limit: grid.stageGroup.waitLimit)
            sends.removeFirst()
        }
        try reduction.finish()
        return shares.flatMap(\.entropy.leafTotals)
    }

    override func poll() throws(CommError) {
        while let first = sends.first, try first.test() { sends.removeFirst() }
        if let first = arriving.first { _ = try first.request.test() }
        try reduction.polled.poll()
        try companion.poll()
    }

    private func isEmpty(_ unit: Unit, _ stage: Int) -> Bool {
        steps(unit).isEmpty || parts.parts[stage][unit.microBatch].rows.isEmpty
    }

    private func steps(_ unit: Unit) -> Range<Int> {
        schedule.shape.steps(ofChunk: unit.chunk, of: configuration.stepsPerWindow)
    }

    /// Beyond the tags of the actions.
    private func tag(_ unit: Unit, isGradient: Bool) -> Int {
        let shape = schedule.shape
        let count = shape.microBatches * shape.chunks
        let tag = shape.actionCount + (isGradient ? count : 0) + unit.microBatch * shape.chunks + unit.chunk
        require(tag < Self.sumTag, "OutputSpread: \(count) chunks need more tags than there are")
        return tag
    }
}
