internal import BatonKernels
public import BatonTensor

/// A non-linearity of a cell: one of Gluon's by name, or any composition of operations.
public struct ActivationFunction {
    /// As Gluon writes it; `custom` for a closure without one.
    public let name: String
    /// The kernels' function it is; nil for others.
    let builtIn: Activation?
    private let function: (Variable, ForwardContext) -> Variable

    private init(_ activation: Activation) {
        name = activation.rawValue
        builtIn = activation
        function = { $1.activate($0, activation) }
    }

    /// Any function of a pre-activation, built from the operations of the context.
    public init(name: String = "custom", _ function: @escaping (Variable, ForwardContext) -> Variable) {
        self.name = name
        builtIn = nil
        self.function = function
    }

    /// The function of that name.
    ///
    /// - Throws: `NNError` naming the five there are.
    public init(named name: String) throws(NNError) {
        guard let known = Self.named.first(where: { $0.name == name }) else {
            let names = Self.named.map(\.name).joined(separator: ", ")
            throw NNError("'\(name)' is no activation; use one of \(names), or pass a function.")
        }
        self = known
    }

    /// tanh x.
    public static var tanh: ActivationFunction { ActivationFunction(.tanh) }
    /// max(x, 0).
    public static var relu: ActivationFunction { ActivationFunction(.relu) }
    /// 1 / (1 + e⁻ˣ).
    public static var sigmoid: ActivationFunction { ActivationFunction(.sigmoid) }
    /// x / (1 + |x|).
    public static var softsign: ActivationFunction { ActivationFunction(name: "softsign") { $1.softsign($0) } }
    /// log(1 + eˣ).
    public static var softrelu: ActivationFunction { ActivationFunction(name: "softrelu") { $1.softrelu($0) } }
    /// x where x > 0, slope · x elsewhere (Gluon's `nn.LeakyReLU` as an activation).
    public static func leakyRelu(slope: Double) -> ActivationFunction {
        ActivationFunction(name: "leakyrelu") { $1.leakyRelu($0, slope: slope) }
    }

    private static var named: [ActivationFunction] { [tanh, relu, sigmoid, softsign, softrelu] }

    /// φ(x).
    public func callAsFunction(_ x: Variable, _ context: ForwardContext) -> Variable { function(x, context) }
}
