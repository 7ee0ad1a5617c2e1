import BatonComm
import BatonKernelABI
import BatonTensor

/// A window in progress through the layers that one rank holds, forward only.
protocol ForwardWindow: AnyObject {
    /// What the lowest layer reads; the caller fills it chunk by chunk.
    var input: Tensor { get }
    /// What the stage above reads.
    var output: Tensor { get }
    /// Runs the next steps.
    func forward(steps: Range<Int>, hook: StepHook) throws
}

/// Windows one after the other through one stage of a pipeline, forward only. No stage waits at the end of a window:
/// state stays where its layer is, so a stage goes on with the next window at once.
final class StreamOfWindows<Window: ForwardWindow>: StageWork {
    /// Makes a window and the tensors of the states after it, from those after the window before; nil before the first.
    typealias Begin = (_ index: Int, _ carried: [Tensor]?) throws -> (window: Window, states: [Tensor])
    /// Gets a window that has ended on this stage, with the states after it.
    typealias Ended = (_ index: Int, _ window: Window, _ states: [Tensor]) throws -> Void

    private let shape: ScheduleShape
    private let begin: Begin
    private let ended: Ended
    /// Windows whose tensors are in use, with the states after them.
    private var open: [Int: (window: Window, states: [Tensor])] = [:]

    private init(_ shape: ScheduleShape, begin: @escaping Begin, ended: @escaping Ended) {
        (self.shape, self.begin, self.ended) = (shape, begin, ended)
    }

    /// Runs so many windows, at least one, each in so many chunks of time. Both closures are called once for each window,
    /// in their order. Collective over the stages.
    static func run(
        _ count: Int, chunks: Int, on grid: ProcessGrid, _ transfers: StageTransfers, begin: @escaping Begin,
        ended: @escaping Ended
    ) throws {
        let schedule = PipelineSchedule.inference(stages: grid.layout.stages, chunks: chunks, sequences: count)
        let work = StreamOfWindows(schedule.shape, begin: begin, ended: ended)
        _ = try ScheduleExecutor(schedule, rank: grid.place.stage, isStream: true).run(work, transfers)
    }

    func perform(_ action: ScheduleAction, hook: StepHook) throws {
        let index = action.microBatch
        // The executor has sent all of it.
        if action.chunk == 0 { open[index - 2] = nil }
        let (window, states) = try entry(index)
        try window.forward(steps: steps(of: action, in: window), hook: hook)
        if action.chunk + 1 == shape.chunks { try ended(index, window, states) }
    }

    func landing(for action: ScheduleAction) throws -> UnsafeMutableRawBufferPointer {
        let window = try entry(action.microBatch).window
        return window.input[leading: steps(of: action, in: window)].bytes
    }

    func result(of action: ScheduleAction) throws -> UnsafeRawBufferPointer {
        let window = try entry(action.microBatch).window
        return UnsafeRawBufferPointer(window.output[leading: steps(of: action, in: window)].bytes)
    }

    private func steps(of action: ScheduleAction, in window: Window) -> Range<Int> {
        shape.steps(ofChunk: action.chunk, of: window.input.shape[0])
    }

    /// A window, begun when it is first asked for.
    private func entry(_ index: Int) throws -> (window: Window, states: [Tensor]) {
        if let entry = open[index] { return entry }
        let entry = try begin(index, open[index - 1]?.states)
        open[index] = entry
        return entry
    }
}
