/// One layer and direction over a window, sample by sample, from the equations.
public struct OracleLayer: Sendable {
    public var cell: OracleCell
    public var inputSize: Int
    public var hidden: Int
    public var reverse: Bool
    public var parameters: OracleParameters
    public var clip: OracleClip?
    /// R.
    public var outputSize: Int {
        parameters.projectionWeight.isEmpty ? hidden : parameters.projectionWeight.count / hidden
    }

    public init(
        _ cell: OracleCell, inputSize: Int, hidden: Int, reverse: Bool = false, parameters: OracleParameters,
        clip: OracleClip? = nil
    ) {
        self.clip = clip
        self.cell = cell
        self.inputSize = inputSize
        self.hidden = hidden
        self.reverse = reverse
        self.parameters = parameters
    }

    /// What a forward pass yields: h of every step (T, N, R), final states (N, R) and (N, H); c is empty but for the LSTM.
    public struct Result: Sendable {
        public var output: [Double] = []
        public var finalHidden: [Double] = []
        public var finalCell: [Double] = []
        public let steps: Int
        public let batch: Int
        /// Of sample n, in processing order, with their times.
        var records: [[(time: Int, step: OracleStep)]] = []
    }

    /// Gradients of everything a forward pass reads.
    public struct Gradients: Sendable {
        public var input: [Double]
        public var initialHidden: [Double] = []
        public var initialCell: [Double] = []
        public var parameters: OracleParameters
    }

    /// `input` (T, N, C); states (N, R) and (N, H), nil is zero; valid lengths of the samples, nil is T for all. What lies beyond a
    /// sample's length is not looked at, and its output is zero.
    public func forward(
        _ input: [Double], steps: Int, batch: Int, initialHidden: [Double]? = nil, initialCell: [Double]? = nil,
        lengths: [Int]? = nil
    ) -> Result {
        precondition(input.count == steps * batch * inputSize, "OracleLayer: input of \(input.count) values")
        var result = Result(steps: steps, batch: batch)
        result.output = [Double](repeating: 0, count: steps * batch * outputSize)
        for n in 0..<batch {
            var h = state(initialHidden, n, outputSize)
            var c = state(initialCell, n, hidden)
            var records: [(time: Int, step: OracleStep)] = []
            for t in times(lengths?[n] ?? steps) {
                let row = t * batch + n
                let x = Array(input[row * inputSize..<(row + 1) * inputSize])
                let step = advance(x, h, c)
                (h, c) = (step.hidden, step.cell)
                result.output.replaceSubrange(row * outputSize..<(row + 1) * outputSize, with: h)
                records.append((t, step))
            }
            result.finalHidden += h
            if cell == .lstm { result.finalCell += c }
            result.records.append(records)
        }
        return result
    }

    /// Gradients of Σ output·outputGradient + Σ final states·their gradients; nil is zero.
    public func backward(
        _ result: Result, outputGradient: [Double]?, finalHiddenGradient: [Double]? = nil,
        finalCellGradient: [Double]? = nil
    ) -> Gradients {
        let (steps, batch) = (result.steps, result.batch)
        var gradients = Gradients(
            input: [Double](repeating: 0, count: steps * batch * inputSize), parameters: parameters.zeros())
        for n in 0..<batch {
            var dh = state(finalHiddenGradient, n, outputSize)
            var dc = state(finalCellGradient, n, hidden)
            for (t, step) in result.records[n].reversed() {
                let row = t * batch + n
                if let outputGradient {
                    for unit in 0..<outputSize { dh[unit] += outputGradient[row * outputSize + unit] }
                }
                let back = retreat(step, dh, dc, &gradients.parameters)
                (dh, dc) = (back.hidden, back.cell)
                gradients.input.replaceSubrange(row * inputSize..<(row + 1) * inputSize, with: back.input)
            }
            gradients.initialHidden += dh
            if cell == .lstm { gradients.initialCell += dc }
        }
        return gradients
    }

    private func times(_ steps: Int) -> [Int] { reverse ? Array((0..<steps).reversed()) : Array(0..<steps) }

    private func state(_ states: [Double]?, _ n: Int, _ width: Int) -> [Double] {
        states.map { Array($0[n * width..<(n + 1) * width]) } ?? [Double](repeating: 0, count: width)
    }

    private func advance(_ x: [Double], _ h: [Double], _ c: [Double]) -> OracleStep {
        switch cell {
        case .rnnTanh, .rnnRelu: OracleRNN.forward(parameters, relu: cell == .rnnRelu, input: x, hidden: h)
        case .lstm: OracleLSTM.forward(parameters, input: x, hidden: h, cell: c, clip: clip)
        case .gru: OracleGRU.forward(parameters, input: x, hidden: h)
        }
    }

    private func retreat(
        _ step: OracleStep, _ dh: [Double], _ dc: [Double], _ gradients: inout OracleParameters
    ) -> OracleStepGradient {
        switch cell {
        case .rnnTanh, .rnnRelu:
            OracleRNN.backward(step, parameters, relu: cell == .rnnRelu, hiddenGradient: dh, into: &gradients)
        case .lstm:
            OracleLSTM.backward(step, parameters, hiddenGradient: dh, cellGradient: dc, into: &gradients)
        case .gru:
            OracleGRU.backward(step, parameters, hiddenGradient: dh, into: &gradients)
        }
    }
}
