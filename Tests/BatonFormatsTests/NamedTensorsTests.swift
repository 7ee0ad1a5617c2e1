import BatonFormats
import BatonTensor
import Testing

@Suite struct NamedTensorsTests {
    @Test func keepsTheOrderOfInsertionThroughReplacementAndRemoval() {
        var tensors = NamedTensors()
        for name in ["c", "a", "b"] { tensors[name] = Tensor(zeros: [1]) }
        tensors["a"] = Tensor(zeros: [2])
        #expect(tensors.names == ["c", "a", "b"])
        #expect(tensors["a"]?.shape == [2])
        tensors["c"] = nil
        #expect(tensors.names == ["a", "b"])
        #expect(tensors.entries.map(\.name) == ["a", "b"])
        #expect(tensors["c"] == nil)
    }

    @Test func aMissingOrDifferentTensorIsNamedWithBothShapes() throws {
        var tensors = NamedTensors(origin: "weights.safetensors")
        tensors["w"] = Tensor(zeros: [2, 3])
        #expect(try tensors.required("w", shape: [2, 3], dtype: .float32).count == 6)
        let shape = #expect(throws: FormatError.self) { try tensors.required("w", shape: [3, 2], dtype: .float32) }
        #expect(shape?.code == .unexpectedTensor)
        for part in ["weights.safetensors", "'w'", "[2, 3]", "[3, 2]"] {
            #expect(shape?.message.contains(part) == true)
        }
        let type = #expect(throws: FormatError.self) { try tensors.required("w", shape: [2, 3], dtype: .float64) }
        #expect(type?.message.contains("float64") == true)
        let missing = #expect(throws: FormatError.self) { try tensors.required("v", shape: [1], dtype: .float32) }
        #expect(missing?.code == .missingTensor)
    }
}
