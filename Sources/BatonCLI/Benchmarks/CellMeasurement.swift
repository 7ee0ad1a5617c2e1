import Baton

/// What unrolling a stack of cells costs, hybridised and not, beside the fused layer that equals it.
struct CellMeasurement: Encodable {
    /// One kind of pass, in seconds the thread had a core: a ratio of wall times would show the other programs.
    struct Pass: Encodable {
        /// The fused layer; nil if none equals the stack.
        var layer: Double?
        var hybridized: Double
        var stepped: Double

        /// Time of the hybridised stack over that of the layer.
        var toLayer: Double? { layer.map { hybridized / $0 } }
        /// Time of the hybridised stack over that of its single steps.
        var toSteps: Double { hybridized / stepped }
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
            var pass = Pass(layer: network.layer.map { _ in .infinity }, hybridized: .infinity, stepped: .infinity)
            let start = ContinuousClock.now
            repeat {
                if let layer = network.layer, let best = pass.layer {
                    let time = BestTime(over: 0) { run(training: training) { layer($0, $1) } }
                    pass.layer = min(best, time.secondsOnCore)
                }
                let fused = BestTime(over: 0) { unroll(hybridized: true, training: training) }
                pass.hybridized = min(pass.hybridized, fused.secondsOnCore)
                let single = BestTime(over: 0) { unroll(hybridized: false, training: training) }
                pass.stepped = min(pass.stepped, single.secondsOnCore)
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
