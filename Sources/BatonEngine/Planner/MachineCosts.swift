/// What the parts of a training step cost on a machine whose cores are all busy, seconds: the input of a
/// `LayoutPlanner`. Measured by a `CostProbe`, or made up.
public struct MachineCosts: Sendable, Hashable, Codable {
    /// Layers that cost the same.
    public enum LayerClass: String, Sendable, Hashable, Codable, CaseIterable {
        /// With the embedding below it.
        case first
        /// Above others.
        case inner

        /// Of layer l.
        init(layer: Int) { self = layer == 0 ? .first : .inner }
    }

    /// One layer, with what belongs to it, for a number of rows.
    public struct Layer: Sendable, Hashable, Codable {
        /// N.
        public var rows: Int
        /// Beginning a window.
        public var begin: Double
        /// One time step.
        public var forward: Double
        /// One time step.
        public var backward: Double
        /// The weight gradients of one time step.
        public var weights: Double
        /// Each further range of steps that is run forward, and each that is walked back.
        public var call: Double

        /// All values at once.
        public init(rows: Int, begin: Double, forward: Double, backward: Double, weights: Double, call: Double) {
            self.rows = rows
            self.begin = begin
            self.forward = forward
            self.backward = backward
            self.weights = weights
            self.call = call
        }
    }

    /// Measured rows of every class, ascending, by the number of ranks that divide the hidden units.
    public var layers: [Int: [LayerClass: [Layer]]]
    /// The output layer with the loss, for measured rows, ascending.
    public var output: [Layer]
    /// Why layers were not measured with the hidden units divided by so many ranks.
    public var notDivided: [Int: String] = [:]
    /// Once a step for each parameter a rank holds: packing, norm and optimiser.
    public var update: Double
    /// Hash of a parameter, once a step on the ranks that compute it.
    public var hash: Double
    /// From the end of an action until a small message of it has arrived.
    public var latency: Double
    /// A byte of a message, which costs sender and receiver as much.
    public var byte: Double
    /// A byte of the gradient in a sum over D replicas, by D.
    public var sumByte: [Int: Double]
    /// A sum over D replicas besides its bytes.
    public var sum: Double
    /// Bytes of a process before it has a model.
    public var baseBytes: Double

    /// All values at once.
    public init(
        layers: [Int: [LayerClass: [Layer]]], output: [Layer], update: Double, hash: Double, latency: Double,
        byte: Double, sumByte: [Int: Double], sum: Double, baseBytes: Double
    ) {
        self.layers = layers
        self.output = output
        self.update = update
        self.hash = hash
        self.latency = latency
        self.byte = byte
        self.sumByte = sumByte
        self.sum = sum
        self.baseBytes = baseBytes
    }

    /// The costs of a layer for some rows: measured, or on the line between the nearest two; beyond them in proportion
    /// to the rows. No rows cost nothing.
    ///
    /// - Parameter shards: ranks that divide the hidden units.
    public func layer(_ kind: LayerClass, rows: Int, shards: Int = 1) -> Layer {
        Self.layer(rows: rows, measured: layers[shards]?[kind] ?? [])
    }

    /// The costs of the output layer for some rows, found in the same way.
    public func output(rows: Int) -> Layer { Self.layer(rows: rows, measured: output) }

    private static func layer(rows: Int, measured: [Layer]) -> Layer {
        let none = Layer(rows: rows, begin: 0, forward: 0, backward: 0, weights: 0, call: 0)
        guard rows > 0, let first = measured.first, let last = measured.last else { return none }
        if let above = measured.firstIndex(where: { $0.rows >= rows }), above > 0 || measured[above].rows == rows {
            if measured[above].rows == rows { return measured[above] }
            let (left, right) = (measured[above - 1], measured[above])
            let part = Double(rows - left.rows) / Double(right.rows - left.rows)
            return left.map(right, rows: rows) { $0 + part * ($1 - $0) }
        }
        let end = rows < first.rows ? first : last
        let factor = Double(rows) / Double(end.rows)
        return end.map(end, rows: rows) { value, _ in factor * value }
    }
}

extension MachineCosts.Layer {
    fileprivate func map(
        _ other: MachineCosts.Layer, rows: Int, _ combine: (Double, Double) -> Double
    ) -> MachineCosts.Layer {
        MachineCosts.Layer(
            rows: rows, begin: combine(begin, other.begin), forward: combine(forward, other.forward),
            backward: combine(backward, other.backward), weights: combine(weights, other.weights),
            call: combine(call, other.call))
    }
}
