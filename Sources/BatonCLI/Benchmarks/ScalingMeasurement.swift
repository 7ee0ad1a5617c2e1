import Baton
import Glibc

/// Forward passes of one batch size: on one rank, on all ranks side by side, and divided over them.
struct ScalingMeasurement: Encodable {
    /// N.
    var batch: Int
    /// Steps that travel together, as asked for or as the probe chose; all where both directions need the whole sequence.
    var chunk: Int
    /// Windows per second of rank 0 alone.
    var alone: Double
    /// Windows per second of all ranks together, each with a stack of its own.
    var independent: Double
    /// Windows per second of all ranks on one stack, back to back.
    var divided: Double
    /// Milliseconds of one window on one rank, and divided.
    var aloneMilliseconds: Double
    var dividedMilliseconds: Double
    /// Milliseconds of a window of a stream, from its start on the first rank to its end on the last.
    var streamMilliseconds: Double
    /// Of the work that all ranks side by side do, and of that which they would do if all were as slow as the slowest of
    /// them: ranks that work on one window cannot be faster than that for long.
    var shareOfCeiling: Double
    var shareOfSlowest: Double
    /// What all ranks side by side do, and what the divided stack does, in units of one alone.
    var ceiling: Double
    var speedup: Double
    /// Whether the output of the divided stack has the bits of one rank.
    var sameBits: Bool

    /// Measures in turns, so that a machine that gets slower or faster does so for all. Collective.
    ///
    /// - Parameter layout: How the ranks divide the stack: stages and, of one direction, shards, or of two, directions.
    init(
        _ stack: RecurrentLayer, layout: ParallelLayout, chunk: Int?, steps: Int, batch: Int, seconds: Double,
        world: any Communicator
    ) throws {
        let width = stack.directions[0].inputWeight.shape[1]
        let stream = RandomStream(seed: 1, name: "bench scaling")
        let input = Tensor(
            (0..<steps * batch * width).map { Float(stream.uniform(UInt64($0)) * 2 - 1) },
            shape: [steps, batch, width])
        let whole = try ScalingWay(
            stack, layout: ParallelLayout(), chunk: nil, steps: steps, batch: batch, SelfCommunicator())
        let parts = try ScalingWay(stack, layout: layout, chunk: chunk, steps: steps, batch: batch, world)
        sameBits = try Self.haveSameBits(whole, parts, input, world)
        self.batch = batch
        self.chunk = parts.chunk
        let clock = try AlignedClock(world)
        let part = min(0.1, seconds / 15)
        var rounds: [Round] = []
        let start = ContinuousClock.now
        // Short rounds of all ways in turns: what a machine does to all of them leaves their ratios alone.
        repeat {
            var round = Round()
            try Self.wait(for: world) { round.alone = try Self.secondsPerWindow(whole, input, over: part) }
            try world.barrier()
            let own = try Self.secondsPerWindow(whole, input, over: part)
            let rates = try world.allGather(1 / own)
            round.independent = 1 / rates.reduce(0, +)
            round.slowest = 1 / (Double(world.size) * (rates.min() ?? 0))
            (round.divided, round.inStream) = try Self.stream(
                parts, input, count: max(6, Int(part / own) * world.size), clock, world)
            round.single = try Self.stream(parts, input, count: 1, clock, world).latency
            round.alone = try world.allGather(round.alone)[0]
            rounds.append(round)
        } while try world.allGather(BestTime.elapsed(since: start))[0] < seconds || rounds.count < 3
        alone = 1 / median(rounds.map(\.alone))
        independent = alone * median(rounds.map { $0.alone / $0.independent })
        divided = alone * median(rounds.map { $0.alone / $0.divided })
        ceiling = independent / alone
        speedup = divided / alone
        shareOfCeiling = median(rounds.map { $0.independent / $0.divided })
        shareOfSlowest = median(rounds.map { $0.slowest / $0.divided })
        aloneMilliseconds = 1e3 / alone
        dividedMilliseconds = 1e3 * median(rounds.map(\.single))
        streamMilliseconds = 1e3 * median(rounds.map(\.inStream))
    }

    /// Seconds per window, of all ranks together.
    private struct Round {
        var alone = 0.0
        var independent = 0.0
        /// If all were as slow as the slowest.
        var slowest = 0.0
        var divided = 0.0
        /// From the start to the end of one window on its own, and, the median, of those in a stream.
        var single = 0.0
        var inStream = 0.0
    }

    /// Whether three windows in a stream, the state carried over, are those of one rank, on all ranks.
    private static func haveSameBits(
        _ whole: ScalingWay, _ parts: ScalingWay, _ input: Tensor, _ world: any Communicator
    ) throws -> Bool {
        // By value −0 is +0, and NaN is not itself.
        func bits(_ output: Tensor) -> [UInt32] { output.elements(as: Float.self).map(\.bitPattern) }
        var expected: [[UInt32]] = []
        var differs = false
        try whole.stream(3, input, { _ in }) { expected.append($1.map { bits($0) } ?? []) }
        try parts.stream(3, input, { _ in }) { index, output in
            if let output, bits(output) != expected[index] { differs = true }
        }
        return try !world.allGather(differs).contains(true)
    }

    /// Windows of one rank, one after the other, with the state carried over.
    private static func secondsPerWindow(
        _ way: ScalingWay, _ input: Tensor, over seconds: Double
    ) throws -> Double {
        var count = 0
        try way.stream(1, input, { _ in }, { _, _ in })
        let start = ContinuousClock.now
        while count < 2 || BestTime.elapsed(since: start) < seconds {
            try way.stream(1, input, { _ in }, { _, _ in })
            count += 1
        }
        return BestTime.elapsed(since: start) / Double(count)
    }

    /// Windows of all ranks in one stream: seconds per window, from the end of the first to the end of the last, and the
    /// median time from the start of a window on the first rank to its end on all.
    private static func stream(
        _ way: ScalingWay, _ input: Tensor, count: Int, _ clock: AlignedClock, _ world: any Communicator
    ) throws -> (perWindow: Double, latency: Double) {
        // As many on every rank.
        let count = try world.allGather(count).max() ?? 1
        var starts = [Double](repeating: 0, count: count)
        var ends = starts
        try world.barrier()
        try way.stream(count, input, { starts[$0] = clock.seconds }, { index, _ in ends[index] = clock.seconds })
        starts = try world.allGather(starts)[0]
        let all = try world.allGather(ends)
        ends = (0..<count).map { index in all.map { $0[index] }.max() ?? 0 }
        return (
            (ends[count - 1] - ends[0]) / Double(max(1, count - 1)), median(zip(starts, ends).map { $1 - $0 })
        )
    }

    /// Runs work on rank 0 while the others sleep, not spin.
    private static func wait(for world: any Communicator, _ work: () throws -> Void) throws {
        let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        if world.rank == 0 {
            try work()
            try waitAll(
                try (1..<world.size).map {
                    try world.immediateSend(
                        UnsafeRawBufferPointer(nothing), to: $0, tag: MessageTag.userRange.upperBound - 1)
                }, limit: world.waitLimit)
        } else {
            let request = try world.immediateReceive(into: nothing, from: 0, tag: MessageTag.userRange.upperBound - 1)
            while try !request.test() { usleep(500) }
        }
    }
}

/// A stack on the ranks of a layout, ready to run windows.
struct ScalingWay {
    /// Steps that travel together.
    let chunk: Int
    /// Runs so many windows of one input, the state carried over, and says when each begins and ends on this rank.
    let stream:
        (
            _ count: Int, _ input: Tensor, _ began: @escaping (_ index: Int) -> Void,
            _ ended: @escaping (_ index: Int, _ output: Tensor?) -> Void
        ) throws -> Void

    /// Collective over the layout's ranks.
    init(
        _ stack: RecurrentLayer, layout: ParallelLayout, chunk: Int?, steps: Int, batch: Int, _ world: any Communicator
    ) throws {
        let grid = try ProcessGrid(layout, world: world)
        if stack.bidirectional {
            let parallel = try ParallelStack(stack, grid: grid, batchSize: batch)
            self.chunk = steps
            stream = { count, input, began, ended in
                var states = parallel.beginState()
                for index in 0..<count {
                    began(index)
                    let result = try parallel.forward(input, states: states)
                    states = result.states
                    ended(index, result.output)
                }
            }
        } else {
            let pipeline = try RecurrentPipeline(stack, grid: grid, chunkLength: chunk ?? steps)
            if layout.stages > 1, chunk == nil { try pipeline.probeChunkLength(steps: steps, batchSize: batch) }
            self.chunk = pipeline.chunkLength
            stream = { count, input, began, ended in
                try pipeline.stream(
                    count,
                    window: { index in
                        began(index)
                        return (input, nil)
                    }, ended: { index, output, _ in ended(index, output) })
            }
        }
    }
}
