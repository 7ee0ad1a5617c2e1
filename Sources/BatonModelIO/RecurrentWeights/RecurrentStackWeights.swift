import BatonChecks
public import BatonFormats
public import BatonKernelABI
public import BatonKernels
public import BatonNN
public import BatonTensor

/// The weights of a recurrent stack as a file holds them, with the sizes that follow from their shapes.
///
/// | Tensor of layer l | Shape |
/// |---|---|
/// | input weight | (G·H, C) for l = 0, else (G·H, D·R) |
/// | hidden weight | (G·H, R), where R = P if projected, else H |
/// | biases | (G·H); all or none, none is zero |
/// | projection | (P, H), LSTM only; all or none |
///
/// Gates stand in PyTorch's and Gluon's order, which is Baton's (`RecurrentKind`); nothing is permuted.
public struct RecurrentStackWeights {
    /// The recurrence.
    public let cell: RecurrentKind
    /// Names in the file by layer and direction.
    public let names: RecurrentWeightNames
    /// C.
    public let inputSize: Int
    /// H.
    public let hiddenSize: Int
    /// P; nil when h is not projected.
    public let projectionSize: Int?
    /// float32 or float64, the same for all.
    public let dtype: DType
    private let tensors: NamedTensors

    /// Reads the stack out of a safetensors or MXNet `.params` file.
    ///
    /// - Throws: `FormatError` when the file is damaged; `ModelIOError` when its tensors are no stack of this cell, with
    ///   the tensor, its shape and the expected one.
    public init(path: String, cell: RecurrentKind) throws {
        let file = try TensorFile(path: path)
        let names = try RecurrentWeightNames(file.entries.map(\.name), origin: path)
        var tensors = NamedTensors(origin: path)
        for name in names.directions.flatMap(\.all) { tensors[name] = try file.tensor(name) }
        try self.init(tensors, names: names, cell: cell)
    }

    /// Checks the shapes and types of the tensors.
    ///
    /// - Throws: `ModelIOError` as above, `FormatError` when a named tensor is missing.
    public init(_ tensors: NamedTensors, names: RecurrentWeightNames, cell: RecurrentKind) throws {
        let origin = tensors.origin
        guard let first = names.directions.first, let hidden = tensors[first.hiddenWeight],
            let input = tensors[first.inputWeight]
        else { throw ModelIOError("\(origin): the weights of layer 0 are missing; save the whole stack.") }
        guard hidden.dtype == .float32 || hidden.dtype == .float64 else {
            throw ModelIOError(
                "\(origin): tensor \(printable(first.hiddenWeight)) is \(hidden.dtype.rawValue), expected float32 or float64; "
                    + "save it as one of them.")
        }
        let gates = cell.gateCount
        let isProjected = names.hasProjections
        guard !isProjected || cell == .lstm else {
            throw ModelIOError(
                "\(origin): tensor \(printable(first.projectionWeight ?? "")) projects h, which only an lstm does, not "
                    + "\(cell.rawValue); name the kind the weights were trained as.")
        }
        guard hidden.rank == 2, hidden.shape[1] > 0, hidden.shape[0] > 0, hidden.shape[0] % gates == 0,
            isProjected || hidden.shape[0] == gates * hidden.shape[1]
        else {
            throw ModelIOError(
                "\(origin): tensor \(printable(first.hiddenWeight)) has shape \(hidden.shape), but the hidden weight of "
                    + "\(cell.rawValue) is (\(gates)·H, \(isProjected ? "P" : "H")); name the kind the weights were "
                    + "trained as.")
        }
        guard input.rank == 2, input.shape[1] > 0 else {
            throw ModelIOError(
                "\(origin): tensor \(printable(first.inputWeight)) has shape \(input.shape), expected "
                    + "(\(hidden.shape[0]), C) with C ≥ 1; save the weights of one stack.")
        }
        self.cell = cell
        self.names = names
        self.tensors = tensors
        hiddenSize = hidden.shape[0] / gates
        projectionSize = isProjected ? hidden.shape[1] : nil
        inputSize = input.shape[1]
        dtype = hidden.dtype
        try checkShapes()
    }

    /// L.
    public var layerCount: Int { names.layerCount }
    /// D.
    public var directionCount: Int { names.directionCount }
    /// R, the width of h.
    public var outputSize: Int { projectionSize ?? hiddenSize }

    private func checkShapes() throws {
        let rows = cell.gateCount * hiddenSize
        for (index, direction) in names.directions.enumerated() {
            let inputs = index < directionCount ? inputSize : directionCount * outputSize
            var expected = [(direction.inputWeight, [rows, inputs]), (direction.hiddenWeight, [rows, outputSize])]
            expected += [direction.inputBias, direction.hiddenBias].compactMap { $0 }.map { ($0, [rows]) }
            if let name = direction.projectionWeight { expected.append((name, [outputSize, hiddenSize])) }
            for (name, shape) in expected { _ = try tensors.required(name, shape: shape, dtype: dtype) }
        }
    }

    /// A layer with these weights; absent biases are zero.
    ///
    /// - Precondition: `stateClip` only for an LSTM.
    public func makeLayer(
        layout: SequenceLayout, useSequenceLength: Bool = false, stateClip: StateClip? = nil
    ) -> RecurrentLayer {
        let layer = RecurrentLayer.make(
            cell, hiddenSize: hiddenSize, numLayers: layerCount, layout: layout, bidirectional: directionCount == 2,
            inputSize: inputSize, projectionSize: projectionSize, stateClip: stateClip, dtype: dtype,
            useSequenceLength: useSequenceLength, prefix: "")
        for (parameter, name) in pairs(layer) {
            parameter.setData(name.flatMap { tensors[$0] } ?? Tensor(zeros: parameter.shape, dtype: parameter.dtype))
        }
        return layer
    }

    /// The gradients of a layer made by `makeLayer`, by the names in the file; none for absent biases.
    ///
    /// - Precondition: one subtree of gradients, as a single process has.
    public func gradients(of layer: RecurrentLayer) -> [(name: String, gradient: Tensor)] {
        pairs(layer).compactMap { parameter, name in
            require(
                parameter.gradients.count == 1, "RecurrentStackWeights: \(parameter.gradients.count) gradient sets")
            return name.map { ($0, parameter.gradients[0]) }
        }
    }

    /// Gradients of all parameters of a layer, by the names in the file; none for biases the file has not.
    ///
    /// - Parameter gradients: direction by direction, of each the weights of the input and of the hidden units, their
    ///   biases (also where the file has none), and the projection's weight if there is one.
    public func named(_ gradients: [Tensor]) -> [(name: String, gradient: Tensor)] {
        var ordered: [String?] = []
        for direction in names.directions {
            ordered += [direction.inputWeight, direction.hiddenWeight, direction.inputBias, direction.hiddenBias]
            if names.hasProjections { ordered.append(direction.projectionWeight) }
        }
        return zip(ordered, gradients).compactMap { name, gradient in name.map { ($0, gradient) } }
    }

    /// The layer's parameters with their names in the file, in the order of the file format.
    private func pairs(_ layer: RecurrentLayer) -> [(parameter: Parameter, name: String?)] {
        zip(layer.directions, names.directions).flatMap { direction, names in
            Array(
                zip(
                    direction.parameters,
                    [
                        names.inputWeight, names.hiddenWeight, names.inputBias, names.hiddenBias,
                        names.projectionWeight,
                    ])
            ).map { (parameter: $0, name: $1) }
        }
    }
}
