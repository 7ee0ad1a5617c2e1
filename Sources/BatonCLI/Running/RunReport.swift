import Baton
import BatonChecks

/// What `baton run` says it did.
struct RunReport: CommandReport {
    let kind: String
    let layers: Int
    let bidirectional: Bool
    let inputSize: Int
    let hiddenSize: Int
    /// P, if projected.
    let projectionSize: Int?
    let dtype: String
    /// How the weights were held.
    let precision: String
    /// Limits of c, if given.
    let clip: [Double]?
    let axes: String
    let steps: Int
    let batch: Int
    /// Σλ, if there are lengths.
    let lengthSum: Int?
    let outputShape: [Int]
    /// The backend that computed the products.
    let kernel: String
    /// The instruction set of Baton's own kernels.
    let isa: String
    /// The kernel set of OpenBLAS.
    let blasCore: String
    /// Names of the gradients written.
    let gradients: [String]
    /// How the ranks divided the work.
    let layout: String
    /// Wall time of the passes, without reading and writing files.
    let seconds: Double

    init(
        _ weights: RecurrentStackWeights, _ arrays: RunArrays, _ results: RunResults, _ options: RunOptions,
        layout: ParallelLayout, seconds: Double
    ) throws {
        kind = weights.cell.rawValue
        layers = weights.layerCount
        bidirectional = weights.directionCount == 2
        inputSize = weights.inputSize
        hiddenSize = weights.hiddenSize
        projectionSize = weights.projectionSize
        lengthSum = arrays.lengths?.reduce(0, +)
        dtype = weights.dtype.rawValue
        precision = weights.dtype == .float32 ? options.precision.rawValue : dtype
        clip = options.stateClip.map { [$0.lower, $0.upper] }
        axes = options.axes.rawValue
        steps = arrays.steps
        batch = arrays.batch
        outputShape = results.output.shape
        kernel = weights.dtype.kernelBackend.rawValue
        isa = try KernelSelection.current.get().instructionSet.rawValue
        blasCore = OpenBLASCore.current
        gradients = results.gradients.map(\.name)
        self.layout = layout.description
        self.seconds = seconds
    }

    /// One line for a person.
    var text: String {
        let stack = "\(counted(layers, "layer"))\(bidirectional ? ", both directions" : "")"
        let back = gradients.isEmpty ? "" : ", \(gradients.count) gradients"
        let width = projectionSize.map { "\(hiddenSize) → \($0)" } ?? "\(hiddenSize)"
        return
            "\(kind), \(stack), \(inputSize) → \(width), \(dtype)\(precision == dtype ? "" : ", weights in \(precision)"): output \(outputShape)\(back), "
            + "\(fixed(seconds * 1e3, digits: 2)) ms (\(kernel) kernels, \(isa)\(layout == "dp=1" ? "" : ", \(layout)"))"
    }
}
