import BatonFormats
import BatonKernels
import BatonModelIO
import BatonNN
import BatonTensor
import BatonTestSupport
import Foundation
import Testing

/// Graphs that MXNet 1.9.1 exported, with the results it computed.
@Suite struct SymbolBlockTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Goldens").path

    static let names = [
        "lstm", "gru64", "relu", "projected", "tagger", "flattened", "last", "rnncell", "lstmcell", "lstmpcell",
        "valid", "bidirectional", "stack", "classifier", "pooled",
    ]

    static func block(_ name: String) throws -> SymbolBlock {
        try SymbolBlock.imports(
            "\(folder)/\(name)-symbol.json", parameters: "\(folder)/\(name)-0000.params")
    }

    static func arrays(_ name: String) throws -> (inputs: [Tensor], outputs: [Tensor]) {
        let all = try TensorFile(path: "\(folder)/\(name)-arrays.params").all()
        func numbered(_ stem: String) -> [Tensor] { (0..<all.count).compactMap { all["\(stem)\($0)"] } }
        return (numbered("in"), numbered("out"))
    }

    private func context() -> ForwardContext { .inference(rows: 2) }

    @Test(arguments: names) func givesWhatMXNetComputed(name: String) throws {
        let (inputs, expected) = try Self.arrays(name)
        let block = try Self.block(name)
        #expect(
            block.inputNames == (inputs.count == 1 ? ["data"] : inputs.indices.map { "data\($0)" }) || inputs.count == 1
        )
        let outputs = try block.run(inputs.map { Variable($0) }, context())
        #expect(outputs.count == expected.count)
        for (output, reference) in zip(outputs, expected) {
            #expect(output.shape == reference.shape && output.dtype == reference.dtype)
            // At most 3 steps of 3 layers with 10 products each; both libraries round.
            let epsilon = reference.dtype == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
            let violation = Tolerance.violation(
                name, output.value.doubles(), reference.doubles(),
                tolerance: 2 * Tolerance.relative(epsilon: epsilon, depth: 3 * 3 * 2 * 10))
            #expect(violation == nil)
        }
    }

    /// Central differences in f64 through the whole graph, for the input and every parameter.
    @Test func gradientsFlowToInputsAndParameters() throws {
        let (inputs, _) = try Self.arrays("gru64")
        let block = try Self.block("gru64")
        let parameters = block.collectParameters()
        #expect(parameters.count == 8)
        ParameterArena(parameters).beginStep()
        func loss(_ context: ForwardContext, _ input: Variable) throws -> (Double, [Variable]) {
            let outputs = try block.run([input, Variable(inputs[1])], context)
            return (
                outputs.flatMap { $0.value.doubles() }.enumerated().reduce(0) { $0 + $1.1 * sin(Double($1.0)) }, outputs
            )
        }
        let tape = Tape()
        let input = Variable(inputs[0].copy(), requiresGradient: true)
        let (_, outputs) = try loss(.training(rows: 2, tape: tape, random: RandomKey(seed: 0)), input)
        var position = 0
        let seeds = outputs.map { output -> (variable: Variable, gradient: Tensor) in
            let values = (0..<output.value.count).map { sin(Double(position + $0)) }
            position += output.value.count
            return (output, Tensor(doubles: values, shape: output.shape, dtype: .float64))
        }
        tape.backward(from: seeds)
        let step = 1e-5
        func difference(_ tensor: Tensor, _ index: Int, changed: () -> Void) throws -> Double {
            let pointer = tensor.pointer(of: Double.self)
            let value = pointer[index]
            pointer[index] = value + step
            changed()
            let above = try loss(context(), Variable(input.value)).0
            pointer[index] = value - step
            changed()
            let below = try loss(context(), Variable(input.value)).0
            pointer[index] = value
            changed()
            return (above - below) / (2 * step)
        }
        for (tensor, gradient, changed) in [(input.value, input.gradientAccumulator(), {})]
            + parameters.map({ parameter in (parameter.data, parameter.gradients[0], parameter.markChanged) })
        {
            for index in stride(from: 0, to: tensor.count, by: 3) {
                let numeric = try difference(tensor, index, changed: changed)
                #expect(abs(numeric - gradient.doubles()[index]) <= 1e-7 * max(1, abs(numeric)))
            }
        }
    }

    /// MXNet's own gradients of Σ y ⊙ dy.
    @Test(arguments: ["classifier", "pooled"]) func gradientsAreMXNets(name: String) throws {
        let arrays = try TensorFile(path: "\(Self.folder)/\(name)-arrays.params").all()
        let block = try Self.block(name)
        let input = Variable(try #require(arrays["in0"]), requiresGradient: true)
        let tape = Tape()
        let output = try block.run(
            [input], ForwardContext(tape: tape, leaves: .whole(rows: 2)))[0]
        tape.backward(from: [(output, try #require(arrays["dy"]).copy())])
        let gradients =
            [("in0", try #require(input.gradient))] + block.collectParameters().map { ($0.name, $0.gradient) }
        #expect(gradients.count == arrays.names.count { $0.hasPrefix("gradient ") })
        for (parameter, gradient) in gradients {
            let expected = try #require(arrays["gradient " + parameter])
            let violation = Tolerance.violation(
                parameter, gradient.doubles(), expected.doubles(),
                tolerance: 2 * Tolerance.relative(epsilon: Double(Float.ulpOfOne), depth: 3 * 3 * 2 * 10))
            #expect(violation == nil)
        }
    }

    /// The graph of one net and the parameters of another.
    @Test func parametersOfAnotherNetAreNamed() throws {
        func message(_ graph: String, _ parameters: String) -> String {
            do {
                _ = try SymbolBlock.imports(
                    "\(Self.folder)/\(graph)-symbol.json", parameters: "\(Self.folder)/\(parameters)-0000.params")
                return ""
            } catch { return "\(error)" }
        }
        let absent = message("lstm", "rnncell")
        #expect(absent.contains("(_rnn_param_concat) needs ") && absent.contains("which the parameters do not have"))
        var surplus = try TensorFile(path: "\(Self.folder)/lstm-0000.params").all()
        surplus["arg:more"] = Tensor([Float(1)], shape: [1])
        let error = #expect(throws: ModelIOError.self) {
            try SymbolBlock(SymbolGraph(path: "\(Self.folder)/lstm-symbol.json"), parameters: surplus)
        }
        #expect(
            error?.message == "graph has no variable more, which the parameters have; give those it was exported with.")
    }

    @Test func trainingDropsAndInferenceDoesNot() throws {
        let block = try Self.block("tagger")
        let input = Variable(try Self.arrays("tagger").inputs[0])
        let still = try block.run([input], context())[0].value.doubles()
        var training = context()
        training.isTraining = true
        #expect(try block.run([input], training)[0].value.doubles() != still)
        #expect(block(input, context()).value.doubles() == still)
    }

    @Test func inputsThatDoNotFitAreRefusedInOneSentence() throws {
        func message(_ name: String, _ inputs: [Tensor]) -> String {
            do {
                let block = try Self.block(name)
                _ = try block.run(inputs.map { Variable($0) }, context())
                return "none"
            } catch { return "\(error)" }
        }
        let cases: [(String, [Tensor], String)] = [
            ("flattened", [Tensor(zeros: [3, 2, 5])], "takes features of 4, and got 5"),
            ("flattened", [Tensor(zeros: [4, 2, 4]), Tensor(zeros: [1])], "takes 1 inputs"),
            ("flattened", [Tensor(zeros: [3, 2, 4], dtype: .float64)], "float32"),
            ("lstmcell", [Tensor(zeros: [4, 2, 4])], "into 3 equal parts"),
            ("valid", [Tensor(zeros: [2, 3, 4]), Tensor([3, 4] as [Float], shape: [2])], "length of 4.0"),
            ("valid", [Tensor(zeros: [2, 3, 4]), Tensor([.nan, 1] as [Float], shape: [2])], "length of nan"),
            ("valid", [Tensor(zeros: [2, 3, 4]), Tensor(zeros: [3])], "lengths of 2, and got 3"),
            ("tagger", [Tensor([.nan, 1] as [Float], shape: [1, 2])], "NaN"),
            (
                "lstm", [Tensor(zeros: [3, 2, 4]), Tensor(zeros: [4, 1, 5]), Tensor(zeros: [4, 2, 5])], "equal shapes"
            ),
        ]
        for (name, inputs, words) in cases {
            let text = message(name, inputs)
            #expect(text.contains(words) && text.hasSuffix(".") && !text.contains("\n"), "\(name): \(text)")
        }
    }

    /// A graph of one operation on the parameters and inputs named.
    private func refusal(_ nodes: String, head: Int, parameters: [(String, Tensor)] = []) -> String {
        var named = NamedTensors()
        for (name, tensor) in parameters { named[name] = tensor }
        do {
            let text = "{\"nodes\": [\(nodes)], \"heads\": [[\(head), 0, 0]]}"
            _ = try SymbolBlock(SymbolGraph(bytes: Array(text.utf8), name: "g"), parameters: named, origin: "g")
            return "none"
        } catch { return "\(error)" }
    }

    @Test func graphsBatonCannotRunAreRefusedWithTheNode() {
        let x = #"{"op":"null","name":"x","inputs":[]}"#
        let w = #"{"op":"null","name":"w","inputs":[]}"#
        func node(_ op: String, _ attributes: String, _ inputs: String) -> String {
            "{\"op\":\"\(op)\",\"name\":\"n\",\"attrs\":{\(attributes)},\"inputs\":\(inputs)}"
        }
        let matrix = ("w", Tensor(zeros: [4, 3]))
        let cases: [(String, Int, [(String, Tensor)], String)] = [
            ("\(x),\(node("Convolution", "", "[[0,0,0]]"))", 1, [], "n (Convolution)"),
            ("\(x),\(node("Activation", "\"act_type\":\"gelu\"", "[[0,0,0]]"))", 1, [], "'gelu'"),
            ("\(x),\(node("tanh", "\"odd\":\"1\"", "[[0,0,0]]"))", 1, [], "the argument 'odd'"),
            ("\(x),\(node("tanh", "", "[[0,1,0]]"))", 1, [], "output 1"),
            (
                "\(x),\(w),\(node("FullyConnected", "\"num_hidden\":\"5\",\"no_bias\":\"True\"", "[[0,0,0],[1,0,0]]"))",
                2, [matrix], "(5, any)"
            ),
            (
                "\(x),\(w),\(node("FullyConnected", "\"num_hidden\":\"4\"", "[[0,0,0],[1,0,0]]"))", 2, [matrix],
                "2 inputs"
            ),
            (
                "\(x),\(w),\(node("FullyConnected", "\"num_hidden\":\"4\",\"no_bias\":\"1\"", "[[0,0,0],[1,0,0]]"))", 2,
                [], "no parameter"
            ),
            ("\(x),\(w),\(node("elemwise_add", "", "[[0,0,0],[1,0,0]]"))", 2, [matrix], "on the parameter w"),
            (
                "\(x),\(w),\(node("RNN", "\"mode\":\"lstm\",\"state_size\":\"2\",\"num_layers\":\"1\"", "[[0,0,0],[1,0,0]]"))",
                2, [matrix], "12 parameters"
            ),
            (
                "\(x),\(w),\(node("RNN", "\"mode\":\"lstm\",\"state_size\":\"0\",\"num_layers\":\"1\"", "[[0,0,0],[1,0,0]]"))",
                2, [matrix], "sizes below 1"
            ),
            (
                "\(x),\(w),\(node("RNN", "\"mode\":\"gru\",\"state_size\":\"2\",\"num_layers\":\"1\",\"projection_size\":\"2\"", "[[0,0,0],[1,0,0]]"))",
                2, [matrix], "only an lstm"
            ),
            ("\(node("_zeros", "\"shape\":\"(-1,)\"", "[]"))", 0, [], "no shape"),
            ("\(x),\(node("Dropout", "\"p\":\"2\"", "[[0,0,0]]"))", 1, [], "outside 0 to 1"),
            (
                "\(x),\(node("slice_axis", "\"axis\":\"0\",\"begin\":\"\(Int.min)\",\"end\":\"1\"", "[[0,0,0]]"))", 1,
                [],
                "a whole number"
            ),
            (
                "\(x),\(node("Reshape", "\"shape\":\"(\(Int.min), 1)\"", "[[0,0,0]]"))", 1, [],
                "a tuple of whole numbers"
            ),
            ("\(x),\(node("SwapAxis", "\"dim1\":\"0\",\"dim2\":\"2\"", "[[0,0,0]]"))", 1, [], "axes 0 and 2"),
        ]
        for (nodes, head, parameters, words) in cases {
            let text = refusal(nodes, head: head, parameters: parameters)
            #expect(text.contains(words) && text.hasPrefix("g") && text.hasSuffix("."), "\(words): \(text)")
        }
    }

    /// MXNet 1.9.1 gives an array of (10, 5, 4) these shapes.
    @Test(arguments: [("False", [40, 5]), ("True", [50, 4])]) func copiedAxesAreCountedFromEitherEnd(
        _ reverse: String, _ shape: [Int]
    )
        throws
    {
        let text = """
            {"nodes": [{"op": "null", "name": "x", "inputs": []},
             {"op": "Reshape", "name": "r", "attrs": {"shape": "(-1, 0)", "reverse": "\(reverse)"}, "inputs": [[0, 0, 0]]}],
             "heads": [[1, 0, 0]]}
            """
        let block = try SymbolBlock(SymbolGraph(bytes: Array(text.utf8), name: "g"), parameters: NamedTensors())
        let input = Variable(Tensor((0..<200).map { Float($0) }, shape: [10, 5, 4]))
        let output = try block.run([input], .inference(rows: 5))[0].value
        #expect(output.shape == shape && output.elements(as: Float.self) == input.value.elements(as: Float.self))
    }

    /// Memory that doubles with every node is refused before any of it is taken.
    @Test func growthWithoutBoundIsRefused() throws {
        var nodes = [#"{"op":"null","name":"x","inputs":[]}"#]
        for index in 0..<60 {
            nodes.append(
                "{\"op\":\"Concat\",\"name\":\"c\(index)\",\"attrs\":{\"dim\":\"0\"},\"inputs\":[[\(index),0,0],[\(index),0,0]]}"
            )
        }
        let text = "{\"nodes\":[\(nodes.joined(separator: ","))],\"heads\":[[60,0,0]]}"
        let block = try SymbolBlock(
            SymbolGraph(bytes: Array(text.utf8), name: "g"), parameters: NamedTensors(), origin: "g")
        let error = #expect(throws: ModelIOError.self) {
            _ = try block.run([Variable(Tensor(zeros: [2, 3]))], context())
        }
        #expect(error?.message.contains("memoryLimit") == true)
    }
}
