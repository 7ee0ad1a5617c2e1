/// Fills a parameter before training. The numbers are a function of the seed and the parameter's name, so they do
/// not depend on the order of initialisation, nor on which process does it.
public protocol Initializer: Sendable {
    /// - Parameter stream: random numbers that belong to the tensor's name.
    func fill(_ tensor: Tensor, stream: RandomStream)
}
