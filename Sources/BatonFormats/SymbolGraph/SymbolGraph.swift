import BatonChecks

/// A computation as MXNet's symbol JSON describes it: nodes in topological order, each with its operation, attributes
/// and inputs.
///
/// A graph that was read refers backwards only and within itself; what operations mean, and how many outputs they have,
/// is not the format's business.
///
/// - Source: MXNet 1.9.1, `nnvm::pass::SaveJSON` (parity 4.3).
public struct SymbolGraph: Hashable, Sendable {
    /// One output of one node.
    public struct Output: Hashable, Sendable {
        /// Position of the node.
        public var node: Int
        /// Which of its outputs.
        public var index: Int

        /// An output of a node, the first unless told otherwise.
        public init(node: Int, index: Int = 0) {
            self.node = node
            self.index = index
        }
    }

    /// One operation, input or parameter.
    public struct Node: Hashable, Sendable {
        /// The operation's name; `null` for inputs and parameters.
        public var operation: String
        /// The node's name; unique among inputs and parameters.
        public var name: String
        /// Arguments of the operation as text, only those that were set; of parameters `__shape__` and the like.
        public var attributes: [String: String]
        /// What it computes on.
        public var inputs: [Output]

        /// A node.
        public init(operation: String, name: String, attributes: [String: String] = [:], inputs: [Output] = []) {
            self.operation = operation
            self.name = name
            self.attributes = attributes
            self.inputs = inputs
        }

        /// Whether it is an input or a parameter of the graph.
        public var isVariable: Bool { operation == SymbolGraph.variableOperation }
    }

    /// The operation of inputs and parameters.
    public static let variableOperation = "null"
    /// The longest text that is read, in bytes.
    public static let maximumByteCount = 1 << 28

    /// Nodes in topological order.
    public private(set) var nodes: [Node] = []
    /// The results.
    public var heads: [Output] = []

    /// An empty graph.
    public init() {}

    /// Appends a node and returns its position.
    ///
    /// - Precondition: its inputs are there already.
    @discardableResult
    public mutating func append(_ node: Node) -> Int {
        require(
            node.inputs.allSatisfy { $0.node < nodes.count }, "SymbolGraph: \(node.name) refers to a later node")
        nodes.append(node)
        return nodes.count - 1
    }
}
