/// What the layers of one stage cost together.
struct StageLoad {
    var begin = 0.0
    var forward = 0.0
    var backward = 0.0
    /// Of one time step, for all micro-batches alike.
    var weights = 0.0
    var call = 0.0
    /// A spread output layer: rows and costs of this stage, by micro-batch.
    var outputRows: [Int] = []
    var output: [MachineCosts.Layer] = []
    /// Parameters that count to this stage.
    var parameters = 0.0
    /// Parameters it updates, copies of a spread output layer included.
    var held = 0.0

    /// - Parameter outputRows: of a spread output layer; nil leaves it to the last stage.
    init(_ layers: Range<Int>, rows: Int, outputRows: [Int]?, shards: Int, _ planner: LayoutPlanner) {
        let model = planner.configuration.model
        for layer in layers { add(planner.costs.layer(.init(layer: layer), rows: rows, shards: shards)) }
        parameters = model.parameterCount(layers: layers)
        held = parameters
        let isLast = layers.upperBound == model.layers
        if let outputRows {
            self.outputRows = outputRows
            output = outputRows.map { planner.costs.output(rows: $0) }
            // Weight gradients of the parts of all micro-batches together, spread over these.
            weights += output.reduce(0) { $0 + $1.weights } / Double(outputRows.count)
            if !isLast { held += model.outputParameterCount }
        } else if isLast {
            add(planner.costs.output(rows: rows))
        }
    }

    private mutating func add(_ cost: MachineCosts.Layer) {
        begin += cost.begin
        forward += cost.forward
        backward += cost.backward
        weights += cost.weights
        call += cost.call
    }

    /// A window on a rank that holds the whole model.
    func whole(steps: Int) -> Double { Double(steps) * (forward + backward + weights) }
}
