import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Testing

/// A caller's mistake ends the process with a sentence, also in a release build.
@Suite struct KernelMistakeTests {
    @Test func subtreesThatAreNoTreesAreNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = LeafPlan(leaves: [0..<1, 1..<2, 2..<3], subtrees: [0..<3])
        }
        #expect(
            Complaint.missing(
                "LeafPlan: a subtree must hold a power of two of leaves, at most 8, got [Range(0..<3)]",
                in: result?.standardErrorContent) == nil)
    }

    @Test func widthsThatCannotBeAreNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = RecurrentShape(cell: .lstm, inputChains: [3, 0], hidden: 5, projection: 2)
        }
        #expect(
            Complaint.missing(
                "RecurrentShape: expected positive widths, got inputs [3, 0], H = 5, P = 2",
                in: result?.standardErrorContent) == nil)
    }

    @Test func tooManyLeavesAreNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = LeafPlan(leaves: (0..<16).map { $0..<$0 + 1 }, subtrees: [0..<16])
        }
        #expect(
            Complaint.missing(
                "LeafPlan: a subtree must hold a power of two of leaves, at most 8, got [Range(0..<16)]",
                in: result?.standardErrorContent) == nil)
    }

    /// Passes over a window that a caller makes in an order.
    enum Pass: String, Codable {
        case forward, inference, firstStep, lastStep, backward, lastStepBack, weights
    }

    /// Runs passes of f32 on a backend.
    private static func run(_ passes: [Pass], on backend: KernelBackend) {
        let weights = Float.makeRecurrentWeights(
            RecurrentShape(cell: .gru, inputChains: [2], hidden: 3), backend: backend)
        let sequence = Float.makeRecurrentSequence(
            weights: weights, steps: 2, batch: 1, reverse: false, leaves: .whole(rows: 1))
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 100)
        memory.initialize(repeating: 0.5, count: 100)
        let (base, gradients) = (UnsafePointer(memory), memory + 50)
        weights.update(
            from: RecurrentParameterPointers(inputWeight: base, hiddenWeight: base, inputBias: base, hiddenBias: base),
            training: true)
        let forward = RecurrentForward(
            input: base, inputStrides: .timeMajor(batch: 1, width: 2), output: memory + 40,
            outputStrides: .timeMajor(batch: 1, width: 3))
        let backward = RecurrentBackwardData<Float>(outputGradient: nil)
        let targets = RecurrentGradientPointers(
            inputWeight: gradients, hiddenWeight: gradients, inputBias: gradients, hiddenBias: gradients)
        for pass in passes {
            switch pass {
            case .forward: sequence.forward(steps: 0..<2, forward, training: true, hook: .none)
            case .inference: sequence.forward(steps: 0..<2, forward, training: false, hook: .none)
            case .firstStep: sequence.forward(steps: 0..<1, forward, training: true, hook: .none)
            case .lastStep: sequence.forward(steps: 1..<2, forward, training: true, hook: .none)
            case .backward: sequence.backwardData(steps: 0..<2, backward, forward: forward, hook: .none)
            case .lastStepBack: sequence.backwardData(steps: 1..<2, backward, forward: forward, hook: .none)
            case .weights:
                sequence.backwardWeights([targets], leaves: .whole(rows: 1), forward: forward, hook: .none)
            }
        }
    }

    private static let needsForward = "backwardData: it needs a complete forward pass and an update of the weights"
    private static let needsBackward = "backwardWeights: it needs a complete backwardData"
    private static let disorder: [(passes: [Pass], sentence: String)] = [
        ([.backward], needsForward), ([.inference, .backward], needsForward), ([.firstStep, .backward], needsForward),
        ([.forward, .inference, .backward], needsForward), ([.weights], needsBackward),
        ([.forward, .weights], needsBackward), ([.forward, .lastStepBack, .weights], needsBackward),
        ([.forward, .backward, .forward, .weights], needsBackward),
        ([.forward, .lastStep], "forward: steps 1..<2 for training after 2 for training"),
        ([.forward, .backward, .firstStep, .lastStepBack], needsForward),
        // The gates have become gradients.
        ([.forward, .lastStepBack, .lastStepBack], "backwardData: steps 1..<2, expected to end at 1"),
        ([.forward, .backward, .backward], "backwardData: steps 0..<2, expected to end at 0"),
    ]

    @Test(arguments: disorder.indices, [KernelBackend.packed, .blas])
    func passesOutOfOrderAreNamed(_ number: Int, _ backend: KernelBackend) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [number, name = backend.rawValue as String] in
            guard let backend = KernelBackend(rawValue: name) else { return }
            Self.run(Self.disorder[number].passes, on: backend)
        }
        #expect(Complaint.missing(Self.disorder[number].sentence, in: result?.standardErrorContent) == nil)
    }

    /// What is in order does not end the process.
    @Test(arguments: [KernelBackend.packed, .blas])
    func passesInOrderRun(_ backend: KernelBackend) {
        Self.run(
            [.inference, .firstStep, .lastStep, .lastStepBack, .forward, .backward, .weights, .weights], on: backend)
        Self.run([.forward, .backward, .weights, .inference, .forward, .backward], on: backend)
    }

    /// A layer of f32 with two inputs and three units on the backend of a name, and memory for what it is called with.
    private static func linearLayer(
        on name: String
    ) -> (layer: any LinearKernel<Float>, memory: UnsafeMutablePointer<Float>)? {
        guard let backend = KernelBackend(rawValue: name) else { return nil }
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 64)
        memory.initialize(repeating: 1, count: 64)
        return (Float.makeLinearKernel(units: 3, width: 2, backend: backend), memory)
    }

    @Test(arguments: [KernelBackend.packed, .blas])
    func aLinearLayerWithoutItsUpdateForTrainingIsNamed(_ backend: KernelBackend) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [name = backend.rawValue as String] in
            guard let (layer, memory) = Self.linearLayer(on: name) else { return }
            for training in [true, false] {
                layer.update(weight: memory, bias: nil, training: training)
                layer.backwardData(
                    steps: 1, batch: 1, leaves: .whole(rows: 1), outputGradient: memory,
                    outputGradientStrides: .timeMajor(batch: 1, width: 3), inputGradient: memory + 8,
                    inputGradientStrides: .timeMajor(batch: 1, width: 2), adds: false)
            }
        }
        #expect(
            Complaint.missing(
                "LinearKernel.backwardData: it needs an update of the weights for training",
                in: result?.standardErrorContent) == nil)
    }

    @Test(arguments: [KernelBackend.packed, .blas])
    func destinationsThatDoNotFitAreNamed(_ backend: KernelBackend) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [name = backend.rawValue as String] in
            guard let (layer, memory) = Self.linearLayer(on: name) else { return }
            layer.backwardWeights(
                steps: 1, batch: 3, leaves: LeafPlan(leaves: [0..<1, 1..<2, 2..<3], subtrees: [0..<1, 1..<3]),
                input: memory, inputStrides: .timeMajor(batch: 3, width: 2), outputGradient: memory + 8,
                outputGradientStrides: .timeMajor(batch: 3, width: 3),
                gradients: [
                    LinearGradientPointers(weight: memory + 20, bias: nil),
                    LinearGradientPointers(weight: memory + 30, bias: memory + 40),
                ], hook: .none)
        }
        #expect(
            Complaint.missing("1 of 2 destinations have a bias, expected all or none", in: result?.standardErrorContent)
                == nil)
    }
}
