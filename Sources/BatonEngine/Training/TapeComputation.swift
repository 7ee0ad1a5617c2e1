import BatonComm
import BatonData
import BatonKernels
import BatonNN
import BatonTensor

/// A window on a rank that holds the whole model: recorded on a tape and walked back, with buckets of gradients that
/// leave for the other replicas as they become final.
final class TapeComputation: WindowComputation {
    let arena: ParameterArena
    var states: [Tensor]
    var gradient: Tensor { arena.gradients[0] }
    private let configuration: TrainingConfiguration
    private let model: LanguageModel
    private let share: RankShare
    private let windows: LaneWindows
    private let reduction: DataParallelReduction
    private let tape = Tape()
    private let inputs: Tensor
    private let targets: Tensor

    init(
        _ configuration: TrainingConfiguration, model: LanguageModel, share: RankShare, windows: LaneWindows,
        communicator: any Communicator
    ) {
        self.configuration = configuration
        self.model = model
        arena = ParameterArena(model.parameters.reversed(), subtreeCount: share.leaves.subtrees.count)
        self.share = share
        self.windows = windows
        reduction = DataParallelReduction(arena, leafCount: configuration.leafCount, communicator: communicator)
        states = model.beginState(batchSize: share.lanes.count).map(\.value)
        inputs = Tensor(zeros: [configuration.stepsPerWindow, share.lanes.count], dtype: .int32)
        targets = Tensor(zeros: [configuration.stepsPerWindow, share.lanes.count], dtype: .int32)
        let reduction = reduction
        tape.gradientReady = { reduction.ready($0) }
    }

    func run(window: Int, step: Int, times: inout StepTimes, trace: StepTrace?) throws -> [LeafTotals]? {
        var watch = StopWatch(trace)
        reduction.polled.trace = trace
        let loss = forward(window: window, step: step)
        times.forward += watch.lap(.compute, .phase(.forward))
        if let seed = loss.seed { tape.backward(from: [seed], hook: reduction.hook) }
        times.backward += watch.lap(.compute, .phase(.backward))
        try reduction.finish()
        times.combine += watch.lap(.wait, .phase(.gradients))
        return loss.leafTotals
    }

    private func forward(window: Int, step: Int) -> CrossEntropy {
        windows.fill(window: window, lanes: share.lanes, inputs: inputs, targets: targets)
        arena.beginStep()
        let context = ForwardContext(
            tape: tape, isTraining: true, leaves: share.leaves,
            random: RandomKey(
                seed: configuration.seed, step: UInt32(step), firstRow: UInt32(share.lanes.lowerBound)))
        let (logits, final) = model(inputs, states: states.map { Variable($0) }, context)
        // Detached: the next window starts from the values, without a way back.
        states = final.map(\.value)
        return context.softmaxCrossEntropy(logits, targets: targets, gradientScale: configuration.gradientScale)
    }
}
