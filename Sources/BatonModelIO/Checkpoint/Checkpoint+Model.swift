public import BatonEngine
import BatonTensor

extension Checkpoint {
    /// The trained model, or a part of it.
    ///
    /// - Parameter layers: the recurrent layers to hold, as `LanguageModel` takes them; nil is all.
    /// - Throws: `EngineError` naming the first tensor that is missing or has another shape than the configuration's.
    public func makeModel(layers: Range<Int>? = nil) throws(EngineError) -> LanguageModel {
        let configuration = snapshot.configuration
        let model = LanguageModel(configuration.model, seed: configuration.seed, layers: layers)
        let held = Set(model.parameters.map(ObjectIdentifier.init))
        for (name, parameter) in model.pyTorchNames {
            guard let tensor = snapshot.parameters.first(where: { $0.name == name })?.tensor else {
                throw EngineError("The checkpoint has no tensor \(name), expected shape \(parameter.shape).")
            }
            guard tensor.shape == parameter.shape, tensor.dtype == parameter.dtype else {
                throw EngineError(
                    "The checkpoint's \(name) is \(tensor.shape) \(tensor.dtype.rawValue) where \(parameter.shape) \(parameter.dtype.rawValue) is expected."
                )
            }
            if held.contains(ObjectIdentifier(parameter)) { parameter.setData(tensor) }
        }
        return model
    }
}
