import Baton
import Glibc

/// Forward passes of one batch size: on one rank, on all ranks side by side, and divided over them.
struct ScalingMeasurement: Encodable {
    /// N.
    var batch: Int
    /// Steps that travel together, as the probe chose; all where both directions need the whole sequence.
    var chunk: Int
    /// Windows per second of rank 0 alone.
    var alone: Double
    /// Windows per second of all ranks together, each with a stack of its own.
    var independent: Double
    /// Windows per second of all ranks on one stack, back to back.
    var wavefront: Double
    /// Milliseconds of one window on one rank, and divided, from its start on the first rank to its end on the last.
    var aloneMilliseconds: Double
    var wavefrontMilliseconds: Double
    /// Whether the output of the divided stack has the bits of one rank.
    var sameBits: Bool

    enum CodingKeys: String, CodingKey {
        case batch, chunk, alone, independent, wavefront
        case aloneMilliseconds = "alone_milliseconds"
        case wavefrontMilliseconds = "wavefront_milliseconds"
        case sameBits = "same_bits"
        case ceiling, speedup
        case shareOfCeiling = "share_of_ceiling"
    }

    /// What all ranks side by side do, in units of one alone.
    var ceiling: Double { independent / alone }
    /// What the divided stack does, in units of one alone.
    var speedup: Double { wavefront / alone }
    /// Of the work that all ranks side by side do.
    var shareOfCeiling: Double { wavefront / independent }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(batch, forKey: .batch)
        try container.encode(chunk, forKey: .chunk)
        try container.encode(alone, forKey: .alone)
        try container.encode(independent, forKey: .independent)
        try container.encode(wavefront, forKey: .wavefront)
        try container.encode(aloneMilliseconds, forKey: .aloneMilliseconds)
        try container.encode(wavefrontMilliseconds, forKey: .wavefrontMilliseconds)
        try container.encode(sameBits, forKey: .sameBits)
        try container.encode(ceiling, forKey: .ceiling)
        try container.encode(speedup, forKey: .speedup)
        try container.encode(shareOfCeiling, forKey: .shareOfCeiling)
    }

    /// Measures in turns, so that a machine that gets slower or faster does so for all. Collective.
    ///
    /// - Parameter layout: How the ranks divide the stack: stages and, of one direction, shards, or of two, directions.
    init(
        _ stack: RecurrentLayer, layout: ParallelLayout, steps: Int, batch: Int, seconds: Double,
        world: any Communicator
    ) throws {
        let width = stack.directions[0].inputWeight.shape[1]
        let stream = RandomStream(seed: 1, name: "bench scaling")
        let input = Tensor(
            (0..<steps * batch * width).map { Float(stream.uniform(UInt64($0)) * 2 - 1) },
            shape: [steps, batch, width])
        let whole = try ScalingWay(stack, layout: ParallelLayout(), steps: steps, batch: batch, SelfCommunicator())
        let wave = try ScalingWay(stack, layout: layout, steps: steps, batch: batch, world)
        let expected = try whole.forward(input, whole.states).output
        let got = try wave.forward(input, wave.states).output
        let differs = got.map { $0.elements(as: Float.self) != expected?.elements(as: Float.self) } ?? false
        sameBits = try gathered([differs ? 1 : 0], on: world).allSatisfy { $0[0] == 0 }

        self.batch = batch
        chunk = wave.chunk
        (alone, independent, wavefront) = (0, 0, 0)
        (aloneMilliseconds, wavefrontMilliseconds) = (.infinity, .infinity)
        let turns = 3
        for _ in 0..<turns {
            let part = seconds / Double(turns)
            try Self.wait(for: world) {
                let time = try Self.secondsPerWindow(whole, input, over: part)
                alone = max(alone, 1 / time)
                aloneMilliseconds = min(aloneMilliseconds, time * 1e3)
            }
            try world.barrier()
            let own = try Self.secondsPerWindow(whole, input, over: part)
            independent = max(independent, try gathered([1 / own], on: world).reduce(0) { $0 + $1[0] })
            let count = max(3, Int(part / own * Double(world.size)))
            wavefront = max(wavefront, 1 / (try Self.together(wave, input, count: count, world)))
            for _ in 0..<5 {
                let time = try Self.together(wave, input, count: 1, world)
                wavefrontMilliseconds = min(wavefrontMilliseconds, time * 1e3)
            }
        }
    }

    /// Windows of one rank, one after the other, with the state carried over.
    private static func secondsPerWindow(
        _ way: ScalingWay, _ input: Tensor, over seconds: Double
    ) throws -> Double {
        var (_, states) = try way.forward(input, way.states)
        var count = 0
        let start = ContinuousClock.now
        while count < 3 || BestTime.elapsed(since: start) < seconds {
            (_, states) = try way.forward(input, states)
            count += 1
        }
        return BestTime.elapsed(since: start) / Double(count)
    }

    /// Windows of all ranks, from a common start to the end of the slowest; per window.
    private static func together(
        _ way: ScalingWay, _ input: Tensor, count: Int, _ world: any Communicator
    ) throws -> Double {
        // As many on every rank.
        let count = Int(try gathered([Double(count)], on: world).map { $0[0] }.max() ?? 1)
        var states = way.states
        try world.barrier()
        let start = ContinuousClock.now
        for _ in 0..<count { (_, states) = try way.forward(input, states) }
        let time = BestTime.elapsed(since: start)
        return try gathered([time], on: world).map { $0[0] }.max().map { $0 / Double(count) } ?? time
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
    /// Before the first window.
    let states: [Tensor]
    /// Steps that travel together.
    let chunk: Int
    let forward: (_ input: Tensor, _ states: [Tensor]) throws -> (output: Tensor?, states: [Tensor])

    /// Collective over the layout's ranks.
    init(
        _ stack: RecurrentLayer, layout: ParallelLayout, steps: Int, batch: Int, _ world: any Communicator
    ) throws {
        let grid = try ProcessGrid(layout, world: world)
        if stack.bidirectional {
            let parallel = try ParallelStack(stack, grid: grid, batchSize: batch)
            (states, chunk) = (parallel.beginState(), steps)
            forward = { try parallel.forward($0, states: $1) }
        } else {
            let pipeline = try RecurrentPipeline(stack, grid: grid, chunkLength: steps)
            if layout.stages > 1 { try pipeline.probeChunkLength(steps: steps, batchSize: batch) }
            (states, chunk) = (pipeline.beginState(batchSize: batch), pipeline.chunkLength)
            forward = { try pipeline.forward($0, states: $1) }
        }
    }
}
