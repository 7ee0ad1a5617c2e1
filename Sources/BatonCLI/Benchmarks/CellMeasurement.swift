import Baton

/// What unrolling a stack of cells costs, hybridised and not, beside the fused layer that equals it.
struct CellMeasurement: Encodable {
    /// One kind of pass, in seconds the thread had a core: a ratio of wall times would show the other programs.
    struct Pass: Encodable {
        /// The fused layer; nil if none equals the stack.
        var layerSeconds: Double?
        var hybridizedSeconds: Double
        var steppedSeconds: Double

        /// Time of the hybridised stack over that of the layer.
        var toLayer: Double? { layerSeconds.map { hybridizedSeconds / $0 } }
        /// Time of the hybridised stack over that of its single steps.
        var toSteps: Double { hybridizedSeconds / steppedSeconds }
    }

    var network: String
    var steps: Int
    var batch: Int
    var input: Int
    var hidden: Int
    /// Without a tape.
    var inference: Pass
    /// Forward and backward.
    var training: Pass

    /// Measures a network; layer, hybridised and stepped cells take turns within `seconds` for each kind of pass.
    init(_ network: CellNetwork, steps: Int, batch: Int, input: Int, hidden: Int, seconds: Double) {
        network.cells.initialize(UniformInitializer(1 / Double(hidden).squareRoot()), seed: 1)
        let x = Tensor(uninitialized: [steps, batch, input])
        x.fillUniform(-1...1, stream: RandomStream(seed: 1, name: "x"))
        func run(training: Bool, _ forward: (Variable, ForwardContext) -> Variable) {
            let tape = training ? Tape() : nil
            let context = ForwardContext(
                tape: tape, isTraining: training, leaves: .whole(rows: batch), random: RandomKey(seed: 1, step: 0))
            let output = forward(Variable(x, requiresGradient: training), context)
            tape?.backward(output)
        }
        func unroll(hybridized: Bool, training: Bool) {
            network.cells.hybridize(active: hybridized)
            run(training: training) { input, context in
                network.cells.unroll(input, layout: .TNC, mergeOutputs: true, context).outputs.merged
            }
        }
        func measured(training: Bool) -> Pass {
            var pass = Pass(
                layerSeconds: network.layer.map { _ in .infinity }, hybridizedSeconds: .infinity,
                steppedSeconds: .infinity)
            let start = ContinuousClock.now
            repeat {
                if let layer = network.layer, let best = pass.layerSeconds {
                    let time = BestTime(over: 0) { run(training: training) { layer($0, $1) } }
                    pass.layerSeconds = min(best, time.secondsOnCore)
                }
                let fused = BestTime(over: 0) { unroll(hybridized: true, training: training) }
                pass.hybridizedSeconds = min(pass.hybridizedSeconds, fused.secondsOnCore)
                let single = BestTime(over: 0) { unroll(hybridized: false, training: training) }
                pass.steppedSeconds = min(pass.steppedSeconds, single.secondsOnCore)
            } while BestTime.elapsed(since: start) < seconds
            return pass
        }
        self.network = network.name
        self.steps = steps
        self.batch = batch
        self.input = input
        self.hidden = hidden
        inference = measured(training: false)
        training = measured(training: true)
    }
}
