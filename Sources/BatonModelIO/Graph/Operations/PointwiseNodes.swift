import BatonChecks
import BatonKernels
import BatonTensor

/// `Activation` and the operations of the same names: one function of every element.
struct ActivationNode: GraphOperation {
    enum Function: String {
        case tanh, relu, sigmoid, softsign, softrelu
    }

    let function: Function

    init(name: String) throws {
        guard let function = Function(rawValue: name) else {
            throw GraphMismatch(
                "has the function '\(printable(name))', and Baton knows tanh, relu, sigmoid, softsign and softrelu")
        }
        self.function = function
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] { try inputs.floats(1) }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        switch function {
        case .tanh: [context.activate(inputs[0], .tanh)]
        case .relu: [context.activate(inputs[0], .relu)]
        case .sigmoid: [context.activate(inputs[0], .sigmoid)]
        case .softsign: [context.softsign(inputs[0])]
        case .softrelu: [context.softrelu(inputs[0])]
        }
    }
}

/// `LeakyReLU` of the kind `leaky`: x where x > 0, slope · x elsewhere.
struct LeakyNode: GraphOperation {
    let slope: Double

    init(_ attributes: inout GraphAttributes) throws {
        slope = try attributes.number("slope", default: 0.25)
        attributes.ignore("lower_bound", "upper_bound")
        let kind = attributes.text("act_type") ?? "leaky"
        guard kind == "leaky" else {
            throw GraphMismatch("has the function '\(printable(kind))', and Baton knows leaky")
        }
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] { try inputs.floats(1) }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        [context.leakyRelu(inputs[0], slope: slope)]
    }
}

/// `elemwise_add`, `elemwise_sub`, `elemwise_mul`.
struct ArithmeticNode: GraphOperation {
    enum Sign { case plus, minus, times }
    let sign: Sign

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] { [try inputs.floats(2).unified()] }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        switch sign {
        case .plus: [context.add(inputs[0], inputs[1])]
        case .minus: [context.subtract(inputs[0], inputs[1])]
        case .times: [context.multiply(inputs[0], inputs[1])]
        }
    }
}

/// `where`: the second input where the first is not 0, else the third.
struct SelectNode: GraphOperation {
    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] { [try inputs.floats(3).unified()] }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        [context.select(inputs[0].value, inputs[1], inputs[2])]
    }
}

/// `ones_like` and `zeros_like`; no gradient.
struct FillNode: GraphOperation {
    let value: Double

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] { try inputs.floats(1) }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        let (shape, dtype) = (inputs[0].shape, inputs[0].dtype)
        let tensor =
            dtype == .float32
            ? Tensor(repeating: Float(value), shape: shape) : Tensor(repeating: value, shape: shape)
        return [Variable(tensor)]
    }
}

/// `_zeros`: begin states; a 0 in the shape is the batch.
struct ZerosNode: GraphOperation {
    let axes: [Int]
    let dtype: DType

    init(_ attributes: inout GraphAttributes) throws {
        guard let shape = try attributes.tuple("shape"), shape.allSatisfy({ $0 >= 0 }), !shape.isEmpty else {
            throw GraphMismatch("has no shape of whole numbers that are not negative")
        }
        attributes.ignore("ctx")
        let dtype = try attributes.dtype("dtype") ?? .float32
        guard dtype.isFloatingPoint else {
            throw GraphMismatch("has dtype \(dtype.rawValue), not a floating-point one")
        }
        axes = shape.map { $0 == 0 ? GraphShape.batch : $0 }
        self.dtype = dtype
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        _ = try inputs.exactly(0)
        return [GraphShape(axes: axes, dtype: dtype)]
    }

    /// Run by the block, which knows the batch.
    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        fatalError("ZerosNode: run without its shape")
    }
}

/// `Dropout`: identity but in training.
struct DropoutNode: GraphOperation {
    let name: String
    let rate: Double
    let axes: [Int]

    init(_ attributes: inout GraphAttributes, name: String) throws {
        rate = try attributes.number("p", default: 0.5)
        axes = try attributes.tuple("axes") ?? []
        attributes.ignore("cudnn_off")
        let mode = attributes.text("mode") ?? "training"
        guard mode == "training" else {
            throw GraphMismatch("has mode = '\(printable(mode))', and Baton drops in training only")
        }
        guard (0...1).contains(rate) else { throw GraphMismatch("has p = \(rate) outside 0 to 1") }
        self.name = name
    }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let input = try inputs.floats(1)
        for axis in axes where !input[0].axes.indices.contains(axis) {
            throw GraphMismatch("has the axis \(axis), which an input of \(input[0].axes.count) axes has not")
        }
        guard (2...3).contains(input[0].axes.count) else {
            throw GraphMismatch("takes two or three axes, and got \(input[0].axes.count)")
        }
        return input
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) -> [Variable] {
        [context.dropout(inputs[0], rate: rate, name: name, sharedAxes: axes)]
    }
}
