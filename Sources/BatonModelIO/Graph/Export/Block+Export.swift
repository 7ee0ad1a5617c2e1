import BatonFormats
import BatonKernels
public import BatonNN
import BatonTensor

extension Block {
    /// Writes the block as MXNet's `HybridBlock.export` does, so that `SymbolBlock.imports` of MXNet 1.9.1 and of Baton
    /// read it: the graph to `<path>-symbol.json`, the parameters to `<path>-<epoch>.params`, four digits.
    ///
    /// Blocks: `RNN`, `LSTM`, `GRU`, `Dense`, `Embedding`, `Dropout`, `Sequential`, `HybridSequential` of such.
    /// One input is named `data`, several `data0`, `data1`, ….
    ///
    /// - Parameters:
    ///   - withStates: of a bare recurrent layer, makes the initial states inputs, and the final ones results after the
    ///     output; else the states begin with zeros.
    /// - Returns: the paths of both files.
    /// - Throws: `ModelIOError` naming a block that has no form in a graph, or a parameter without values; `FormatError`
    ///   when a file cannot be written.
    /// - Source: Gluon `HybridBlock.export` (parity 1.6, 4.3).
    @discardableResult
    public func export(
        to path: String, epoch: Int = 0, withStates: Bool = false
    ) throws -> SymbolGraphFiles {
        try symbolGraph(withStates: withStates, origin: path).write(to: path, epoch: epoch)
    }

    /// The graph and its parameters.
    func symbolGraph(withStates: Bool, origin: String) throws -> SymbolGraphBuilder {
        var builder = SymbolGraphBuilder(origin: origin)
        if withStates {
            guard let layer = self as? RecurrentLayer else {
                throw ModelIOError("\(name) is no recurrent layer, which alone has states; export it without states.")
            }
            let data = builder.input("data0")
            let states = (1...layer.stateCount).map { builder.input("data\($0)") }
            builder.finish(try layer.append(to: &builder, data, states: states))
            return builder
        }
        let data = builder.input("data")
        builder.finish([try append(to: &builder, data)])
        return builder
    }

    /// Adds the block's operations to a graph; returns its result.
    func append(to builder: inout SymbolGraphBuilder, _ input: SymbolGraph.Output) throws -> SymbolGraph.Output {
        switch self {
        case is Sequential, is HybridSequential:
            return try children.reduce(input) { output, child in try child.block.append(to: &builder, output) }
        case let layer as RecurrentLayer: return try layer.append(to: &builder, input, states: nil)[0]
        case let dense as Dense:
            var inputs = [input, try builder.parameter(dense.weight)]
            if let bias = dense.bias { inputs.append(try builder.parameter(bias)) }
            let output = builder.operation(
                "FullyConnected", "\(name)_fwd",
                [
                    "num_hidden": String(dense.units), "flatten": "False",
                    "no_bias": SymbolGraphBuilder.word(dense.bias == nil),
                ], inputs)
            guard let activation = dense.activation else { return output }
            return builder.operation(
                "Activation", "\(name)_\(activation.rawValue)_fwd", ["act_type": activation.rawValue], [output])
        case let embedding as Embedding:
            let weight = embedding.weight
            return builder.operation(
                "Embedding", "\(name)_fwd",
                [
                    "input_dim": String(weight.shape[0]), "output_dim": String(weight.shape[1]),
                    "dtype": weight.dtype.rawValue, "sparse_grad": "False",
                ], [input, try builder.parameter(weight)])
        case let dropout as Dropout:
            return builder.operation(
                "Dropout", "\(name)_fwd", ["p": String(dropout.rate), "axes": "()"], [input])
        default:
            throw ModelIOError(
                "\(name), a \(type(of: self)), has no form in MXNet's graph; export recurrent layers, dense layers, "
                    + "embeddings, dropout and sequences of them.")
        }
    }
}
