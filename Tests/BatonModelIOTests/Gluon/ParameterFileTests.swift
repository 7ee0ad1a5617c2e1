import BatonFormats
import BatonModelIO
import BatonNN
import BatonTensor
import Foundation
import Testing

/// Files of parameters that MXNet 1.9.1 wrote, and that it would write.
@Suite struct ParameterFileTests {
    private let goldens = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "BatonFormatsTests/Goldens/MXNet").path

    private func lstm(_ dtype: DType = .float32, inputSize: Int = 0) -> LSTM {
        LSTM(hiddenSize: 3, numLayers: 2, bidirectional: true, inputSize: inputSize, dtype: dtype, prefix: "lstm0_")
    }

    /// Saved by place and by full names: both load, also into a block of unknown widths, and saving gives MXNet's bytes.
    @Test func blocksLoadWhatMXNetSavedAndSaveItsBytes() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        var values: [[Double]] = []
        for name in ["lstm_block.params", "lstm_names.params"] {
            let layer = lstm()
            try layer.loadParameters(from: "\(goldens)/\(name)")
            try layer.saveParameters(to: folder.file(name))
            #expect(
                try folder.content(name)
                    == [UInt8](Data(contentsOf: URL(filePath: "\(goldens)/lstm_block.params"))), "\(name)")
            values.append(layer.collectParameters().flatMap { $0.data.doubles() })
        }
        #expect(values[0] == values[1] && Set(values[0]).count > 100)
    }

    @available(*, deprecated)
    @Test func theDeprecatedFormLosesThePrefixAndLoadsUnderAnother() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let layer = lstm(inputSize: 2)
        layer.initialize(seed: 4)
        try layer.saveParams(to: folder.file("old.params"))
        #expect(try TensorFile(path: folder.file("old.params")).entries[0].name == "l0_i2h_weight")
        let other = LSTM(hiddenSize: 3, numLayers: 2, bidirectional: true, prefix: "other_")
        try other.loadParameters(from: folder.file("old.params"))
        #expect(
            other.collectParameters().map { $0.data.doubles() } == layer.collectParameters().map { $0.data.doubles() })
    }

    /// MXNet cannot save eleven layers; Baton's names are decimal.
    @Test(arguments: ["x.params", "x.safetensors"]) func twelveLayersComeBack(name: String) throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        func gru() -> GRU { GRU(hiddenSize: 2, numLayers: 12, prefix: "g_") }
        let layer = GRU(hiddenSize: 2, numLayers: 12, inputSize: 3, prefix: "g_")
        layer.initialize(seed: 4)
        try layer.saveParameters(to: folder.file(name))
        #expect(try TensorFile(path: folder.file(name)).entries.contains { $0.name == "_unfused.11.h2h_bias" })
        let back = gru()
        try back.loadParameters(from: folder.file(name))
        #expect(
            back.collectParameters().map { $0.data.doubles() } == layer.collectParameters().map { $0.data.doubles() })
    }

    @Test func optionsSayWhatMayDiffer() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let net = HybridSequential([Embedding(inputDim: 4, outputDim: 2), Dense(units: 3, inUnits: 2)])
        net.initialize(seed: 1)
        try net.saveParameters(to: folder.file("net.params"))
        let wide = HybridSequential([Embedding(inputDim: 4, outputDim: 2), Dense(units: 3, dtype: .float64)])
        #expect(throws: NNError.self) { try wide.loadParameters(from: folder.file("net.params")) }
        try wide.loadParameters(from: folder.file("net.params"), castDType: true)
        #expect(wide.collectParameters()[1].dtype == .float64)
        let short = HybridSequential([Embedding(inputDim: 4, outputDim: 2)])
        #expect(throws: NNError.self) { try short.loadParameters(from: folder.file("net.params")) }
        try short.loadParameters(from: folder.file("net.params"), ignoreExtra: true)
        try short.saveParameters(to: folder.file("short.params"))
        #expect(throws: NNError.self) { try net.loadParameters(from: folder.file("short.params")) }
        try net.loadParameters(from: folder.file("short.params"), allowMissing: true)
        let error = #expect(throws: NNError.self) {
            try Dense(units: 3).saveParameters(to: folder.file("none.params"))
        }
        #expect(error?.message.contains("has no values") == true)
        #expect(!FileManager.default.fileExists(atPath: folder.file("none.params")))
    }

    @Test func tiedWeightsAreSavedOnceOnRequest() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let embedding = Embedding(inputDim: 4, outputDim: 2)
        let net = HybridSequential([embedding, Dense(units: 4, useBias: false, weight: embedding.weight)])
        net.initialize(seed: 1)
        for (deduplicated, count) in [(false, 2), (true, 1)] {
            try net.saveParameters(to: folder.file("net.params"), deduplicated: deduplicated)
            #expect(try TensorFile(path: folder.file("net.params")).entries.count == count)
            try net.loadParameters(from: folder.file("net.params"))
        }
    }

    /// Gluon's `ParameterDict.save` and `load`.
    @Test(arguments: ["d.params", "d.safetensors"]) func aDictionaryIsSavedWithoutItsPrefix(name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "baton-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: name).path
        let source = Dense(units: 2, inUnits: 3, prefix: "a_")
        source.initialize(seed: 1)
        try source.collectParams().save(to: path, stripPrefix: "a_")
        #expect(Set(try TensorFile(path: path).all().names) == ["weight", "bias"])
        let target = Dense(units: 2, inUnits: 0, prefix: "b_")
        try target.collectParams().load(from: path, restorePrefix: "b_")
        #expect(target.weight.data.doubles() == source.weight.data.doubles())
        #expect(throws: NNError.self) { try target.collectParams().load(from: path) }
        #expect(throws: NNError.self) { try source.collectParams().save(to: path, stripPrefix: "x_") }
    }
}
