/// L layers of D directions; layer l+1 reads the concatenated outputs of layer l.
public struct OracleStack: Sendable {
    /// (layer, direction), direction 1 is the reverse one.
    public var layers: [[OracleLayer]]
    public var hidden: Int { layers[0][0].hidden }
    /// R.
    public var outputSize: Int { layers[0][0].outputSize }
    public var directions: Int { layers[0].count }

    public init(layers: [[OracleLayer]]) {
        self.layers = layers
    }

    /// A stack with random parameters.
    public static func random(
        _ cell: OracleCell, layers: Int, directions: Int, inputSize: Int, hidden: Int,
        projection: Int? = nil, clip: OracleClip? = nil, using random: inout SeededRandom
    ) -> OracleStack {
        OracleStack(
            layers: (0..<layers).map { layer in
                let width = layer == 0 ? inputSize : directions * (projection ?? hidden)
                return (0..<directions).map { direction in
                    OracleLayer(
                        cell, inputSize: width, hidden: hidden, reverse: direction == 1,
                        parameters: .random(
                            cell, inputSize: width, hidden: hidden, projection: projection, using: &random),
                        clip: clip)
                }
            })
    }

    /// Output (T, N, D·R); states (L·D, N, R) and (L·D, N, H), c empty but for the LSTM.
    public struct Result: Sendable {
        public var output: [Double] = []
        public var finalHidden: [Double] = []
        public var finalCell: [Double] = []
        var layers: [[OracleLayer.Result]] = []
    }

    /// Gradients of everything a forward pass reads; parameters by (layer, direction).
    public struct Gradients: Sendable {
        public var input: [Double] = []
        public var initialHidden: [Double] = []
        public var initialCell: [Double] = []
        public var parameters: [[OracleParameters]] = []
    }

    /// `input` (T, N, C); states (L·D, N, H), nil is zero; valid lengths of the samples, nil is T for all.
    public func forward(
        _ input: [Double], steps: Int, batch: Int, initialHidden: [Double]? = nil, initialCell: [Double]? = nil,
        lengths: [Int]? = nil
    ) -> Result {
        var result = Result()
        var width = input
        for (l, layer) in layers.enumerated() {
            let results = layer.enumerated().map { d, direction in
                direction.forward(
                    width, steps: steps, batch: batch, initialHidden: state(initialHidden, l, d, batch, outputSize),
                    initialCell: state(initialCell, l, d, batch, hidden), lengths: lengths)
            }
            for one in results {
                result.finalHidden += one.finalHidden
                result.finalCell += one.finalCell
            }
            result.layers.append(results)
            width = join(results.map(\.output), rows: steps * batch)
        }
        result.output = width
        return result
    }

    /// Gradients of Σ output·outputGradient + Σ final states·their gradients; nil is zero.
    public func backward(
        _ result: Result, outputGradient: [Double]?, finalHiddenGradient: [Double]? = nil,
        finalCellGradient: [Double]? = nil
    ) -> Gradients {
        var gradients = Gradients()
        var above = outputGradient
        for l in layers.indices.reversed() {
            let batch = result.layers[l][0].batch
            let rows = result.layers[l][0].steps * batch
            let parts = layers[l].indices.map { d in
                layers[l][d].backward(
                    result.layers[l][d], outputGradient: above.map { half($0, d, rows: rows) },
                    finalHiddenGradient: state(finalHiddenGradient, l, d, batch, outputSize),
                    finalCellGradient: state(finalCellGradient, l, d, batch, hidden))
            }
            var below = parts[0].input
            for part in parts.dropFirst() {
                for i in below.indices { below[i] += part.input[i] }
            }
            above = below
            gradients.initialHidden = parts.flatMap(\.initialHidden) + gradients.initialHidden
            gradients.initialCell = parts.flatMap(\.initialCell) + gradients.initialCell
            gradients.parameters.insert(parts.map(\.parameters), at: 0)
        }
        gradients.input = above ?? []
        return gradients
    }

    private func state(_ states: [Double]?, _ layer: Int, _ direction: Int, _ batch: Int, _ width: Int) -> [Double]? {
        guard let states, !states.isEmpty else { return nil }
        let size = batch * width
        let start = (layer * directions + direction) * size
        return Array(states[start..<start + size])
    }

    private func join(_ halves: [[Double]], rows: Int) -> [Double] {
        (0..<rows).flatMap { row in halves.flatMap { $0[row * outputSize..<(row + 1) * outputSize] } }
    }

    private func half(_ whole: [Double], _ direction: Int, rows: Int) -> [Double] {
        (0..<rows).flatMap { row in
            let start = (row * directions + direction) * outputSize
            return whole[start..<start + outputSize]
        }
    }
}
