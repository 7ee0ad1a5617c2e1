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
            let tensor = try snapshot.parameters.tensor(name, shape: parameter.shape)
            if held.contains(ObjectIdentifier(parameter)) { parameter.setData(tensor) }
        }
        return model
    }
}
