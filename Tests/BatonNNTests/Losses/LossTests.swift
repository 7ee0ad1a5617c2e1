import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Foundation
import Testing

/// Losses against MXNet's, values and gradients; each case with and without weights of samples.
@Suite struct LossTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            let name: String
            let weighted: Bool
            let value: [Double]
            let gradient: [Double]
            enum CodingKeys: String, CodingKey { case name = "case", weighted, value, gradient }
        }
        struct Inputs: Decodable {
            let prediction: [Double]
            let dense: [Double]
            let classes: [Int32]
            let weights: [Double]
        }
        let losses: [Case]
        let inputs: Inputs
        enum CodingKeys: String, CodingKey { case losses, inputs = "loss_data" }
    }

    private func makeLoss(_ name: String) -> any Loss {
        switch name {
        case "softmax": SoftmaxCrossEntropyLoss()
        case "softmax-dense": SoftmaxCrossEntropyLoss(sparseLabel: false, weight: 0.7)
        case "softmax-axis": SoftmaxCrossEntropyLoss(batchAxis: 1)
        case "sigmoid": SigmoidBinaryCrossEntropyLoss()
        case "sigmoid-given": SigmoidBinaryCrossEntropyLoss(fromSigmoid: true, weight: 2)
        case "l1": L1Loss()
        case "l2": L2Loss(weight: 3)
        default: HuberLoss(rho: 0.4, batchAxis: 1)
        }
    }

    @Test func valuesAndGradientsAreMXNets() throws {
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: trainerGoldens))
        #expect(golden.losses.count == 16)
        let inputs = golden.inputs
        for item in golden.losses {
            let loss = makeLoss(item.name)
            let x = Variable(Tensor(inputs.prediction, shape: [3, 2, 4]), requiresGradient: true)
            let label =
                item.name == "softmax" || item.name == "softmax-axis"
                ? Tensor(inputs.classes, shape: [3, 2]) : Tensor(inputs.dense, shape: [3, 2, 4])
            let weights = item.weighted ? Tensor(inputs.weights, shape: [3, 2, 1]) : nil
            let tape = Tape()
            let context = ForwardContext(tape: tape, leaves: .whole(rows: 3))
            let value = loss(x, label, sampleWeight: weights, context)
            tape.backward(value)
            let name = "\(item.name) \(item.weighted)"
            #expect(Tolerance.violation(name, value.value.doubles(), item.value, tolerance: 1e-12) == nil)
            #expect(Tolerance.violation(name, x.gradient?.doubles() ?? [], item.gradient, tolerance: 1e-12) == nil)
        }
    }

    @Test func positiveWeightsCountPositiveLabels() {
        let context = ForwardContext.inference(rows: 1)
        for x in [-30.0, -1, 0.5, 40] {
            let probability = 1 / (1 + exp(-x))
            let plain = SigmoidBinaryCrossEntropyLoss(positiveWeight: 3)(
                Variable(Tensor([x], shape: [1])), Tensor([1.0], shape: [1]), context)
            #expect(abs(plain.value.doubles()[0] + 3 * log(probability)) < 1e-12)
            let given = SigmoidBinaryCrossEntropyLoss(fromSigmoid: true, positiveWeight: 3)(
                Variable(Tensor([0.25], shape: [1])), Tensor([1.0], shape: [1]), context)
            #expect(abs(given.value.doubles()[0] + 3 * log(0.25)) < 1e-10)
        }
    }

    @Test func gradientsOfWeightedBinaryLabelsMatchDifferences() {
        let labels = Tensor([0.0, 1, 0.3, 0.8], shape: [2, 2])
        for fromSigmoid in [false, true] {
            let loss = SigmoidBinaryCrossEntropyLoss(fromSigmoid: fromSigmoid, positiveWeight: 2.5)
            let start = [0.2, 0.7, 0.4, 0.9]
            func value(_ point: [Double]) -> Double {
                loss(Variable(Tensor(point, shape: [2, 2])), labels, .inference(rows: 2)).value.doubles()
                    .reduce(0, +)
            }
            let x = Variable(Tensor(start, shape: [2, 2]), requiresGradient: true)
            let tape = Tape()
            tape.backward(loss(x, labels, ForwardContext(tape: tape, leaves: .whole(rows: 2))))
            let expected = GradientCheck.centralDifferences(at: start, value)
            #expect(
                Tolerance.violation(
                    "dx", x.gradient?.doubles() ?? [], expected, tolerance: 64 * GradientCheck.tolerance) == nil)
        }
    }

    @Test func descriptionsAndMistakes() async {
        #expect(SoftmaxCrossEntropyLoss().description == "SoftmaxCrossEntropyLoss(batch_axis=0, w=None)")
        #expect(L2Loss(weight: 2).description == "L2Loss(batch_axis=0, w=2.0)")
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = L1Loss()(Variable(Tensor(zeros: [2, 2])), Tensor(zeros: [3]), .inference(rows: 2))
        }
        #expect(
            Complaint.missing("expected a label for each of [2, 2], got [3]", in: result?.standardErrorContent) == nil)
        let other = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = L1Loss()(
                Variable(Tensor(zeros: [2, 2])), Tensor(zeros: [2, 2]), sampleWeight: Tensor(zeros: [2]),
                .inference(rows: 2))
        }
        #expect(
            Complaint.missing("L1Loss: expected sample weights of 2 axes, got [2]", in: other?.standardErrorContent)
                == nil)
    }
}

let trainerGoldens = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Goldens/mxnet-trainer.json")
