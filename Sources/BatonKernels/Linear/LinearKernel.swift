import BatonChecks
public import BatonKernelABI

/// The three products of a fully connected layer y = x·Wᵀ + b, W (units, width) row-major, on rows (t, n) of T steps and
/// N rows of a batch. Weights are brought into the backend's form once per parameter update.
///
/// All rows of an array are equally far apart, and lie in the same order in all arrays of a call: time by time, or row of
/// the batch by row of the batch.
public protocol LinearKernel<Scalar>: AnyObject {
    associatedtype Scalar
    /// Columns of the output.
    var units: Int { get }
    /// Columns of the input.
    var width: Int { get }
    /// Reads the parameters; `bias` nil is zero. `training` also prepares `backwardData`.
    func update(weight: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?, training: Bool)
    /// y = x·Wᵀ + b for T·N rows. One element is one chain: bias, then the inputs in index order. `leaves` fixes
    /// the row groups of backends whose bits depend on the shape of a product.
    func forward(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Scalar>, inputStrides: SequenceStrides,
        output: UnsafeMutablePointer<Scalar>, outputStrides: SequenceStrides)
    /// dx = dy·W, written or added.
    func backwardData(
        steps: Int, batch: Int, leaves: LeafPlan, outputGradient: UnsafePointer<Scalar>,
        outputGradientStrides: SequenceStrides,
        inputGradient: UnsafeMutablePointer<Scalar>, inputGradientStrides: SequenceStrides, adds: Bool)
    /// dW += dyᵀ·x and db += Σ dy, one set of destinations per subtree of the plan.
    func backwardWeights(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Scalar>, inputStrides: SequenceStrides,
        outputGradient: UnsafePointer<Scalar>, outputGradientStrides: SequenceStrides,
        gradients: [LinearGradientPointers<Scalar>], hook: StepHook)
}

/// Gradients of a fully connected layer, same shapes as the parameters, added to.
public struct LinearGradientPointers<Scalar> {
    /// (units, width)
    public var weight: UnsafeMutablePointer<Scalar>
    /// (units); nil if not wanted.
    public var bias: UnsafeMutablePointer<Scalar>?

    /// All values at once.
    public init(weight: UnsafeMutablePointer<Scalar>, bias: UnsafeMutablePointer<Scalar>?) {
        self.weight = weight
        self.bias = bias
    }
}

extension Array {
    /// Ends the process unless the plan is one of so many rows and every subtree has a destination, all of them with a bias or
    /// none.
    func check<Scalar>(_ leaves: LeafPlan, batch: Int) where Element == LinearGradientPointers<Scalar> {
        leaves.check(batch: batch, destinations: count, of: "LinearKernel")
        let biases = count { $0.bias != nil }
        require(
            biases == 0 || biases == count,
            "LinearKernel.backwardWeights: \(biases) of \(count) destinations have a bias, expected all or none")
    }
}
