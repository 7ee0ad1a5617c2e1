import Baton
import BatonKernelABI

extension RunResults {
    /// The same over the ranks of a layout, on rank 0; nil on the others. Collective.
    ///
    /// - Throws: `EngineError` if the layout does not fit the stack or its rows, on all ranks; `CommError` of the transport.
    init?(
        _ weights: RecurrentStackWeights, _ arrays: RunArrays, _ options: RunOptions, layout: ParallelLayout,
        world: any Communicator
    ) throws {
        let layer = weights.makeLayer(
            layout: .TNC, useSequenceLength: arrays.lengths != nil, stateClip: options.stateClip)
        layer.inferencePrecision = options.precision
        let stack = try ParallelStack(
            layer, grid: ProcessGrid(layout, world: world), batchSize: arrays.batch)
        let states = zip(arrays.states, layer.beginState(batchSize: arrays.batch)).map { given, zero in
            stack.entries(of: given ?? zero.value)
        }
        let swaps = options.axes == .NTC
        func timeFirst(_ tensor: Tensor) -> Tensor { swaps ? tensor.withSwappedLeadingAxes() : tensor }
        let (result, finals) = try stack.forward(
            stack.rows(of: timeFirst(arrays.input)), states: states,
            lengths: arrays.lengths.map { Array($0[stack.share.rows]) },
            recordsGradients: arrays.outputGradient != nil)
        let whole = try stack.collect(output: result, steps: arrays.steps)
        let wholeStates = try stack.collect(states: finals)
        let gradients = try Self.gradients(stack, arrays, weights, timeFirst)
        guard let whole else { return nil }
        self.init(output: timeFirst(whole), states: wholeStates, gradients: gradients)
    }

    /// By the names of their files, on rank 0; empty elsewhere, or without a backward pass. Collective.
    private static func gradients(
        _ stack: ParallelStack, _ arrays: RunArrays, _ weights: RecurrentStackWeights,
        _ timeFirst: (Tensor) -> Tensor
    ) throws -> [(name: String, gradient: Tensor)] {
        guard let outputGradient = arrays.outputGradient else { return [] }
        let back = try stack.backward(
            stack.rows(of: timeFirst(outputGradient)),
            states: arrays.stateGradients.map { $0.map { stack.entries(of: $0) } })
        let input = try stack.collect(inputGradient: back.input, steps: arrays.steps).map { [timeFirst($0)] } ?? []
        let states = try stack.collect(states: back.states)
        return zip(["input", "state", "cell_state"], input + states).map { (name: $0, gradient: $1) }
            + weights.named(try stack.collectParameterGradients())
    }
}
