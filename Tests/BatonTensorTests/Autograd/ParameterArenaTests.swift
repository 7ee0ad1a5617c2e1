import BatonTensor
import Testing

@Suite struct ParameterArenaTests {
    private func make(_ name: String, _ count: Int) -> Parameter {
        let parameter = Parameter(name: name, shape: [count])
        parameter.setData(Tensor((0..<count).map { Float($0) }, shape: [count]))
        return parameter
    }

    @Test func slotsAreContiguousAlignedAndKeepValues() {
        let parameters = [make("z", 17), make("a", 3), make("m", 16)]
        let arena = ParameterArena(parameters, subtreeCount: 2)
        #expect(arena.slots.map(\.range) == [0..<17, 32..<35, 48..<64])
        #expect(arena.slotsByName.map(\.parameter.name) == ["a", "m", "z"])
        #expect(parameters[1].data.elements(as: Float.self) == [0, 1, 2])
        #expect(arena.data.elements(as: Float.self)[32..<36] == [0, 1, 2, 0])
        for parameter in parameters {
            #expect(parameter.gradients.count == 2)
            #expect(UInt(bitPattern: parameter.data.rawPointer) % 64 == 0)
            #expect(parameter.gradients.allSatisfy { UInt(bitPattern: $0.rawPointer) % 64 == 0 })
        }
    }

    @Test func versionsMoveWithEveryChange() {
        let parameter = make("a", 3)
        let arena = ParameterArena([parameter])
        let before = parameter.version
        arena.markChanged()
        #expect(parameter.version == before + 1)
        parameter.setData(Tensor([Float(4), 5, 6], shape: [3]))
        #expect(parameter.version == before + 2)
        #expect(arena.data.elements(as: Float.self)[0..<3] == [4, 5, 6])
    }

    @Test func aDeferredParameterIsFilledOnceItsShapeIsKnown() {
        struct Ones: Initializer {
            func fill(_ tensor: Tensor, stream: RandomStream) { tensor.fill(1) }
        }
        let parameter = Parameter(name: "w", shape: [2, 0])
        parameter.initialize(Ones(), seed: 0)
        #expect(!parameter.isInitialized)
        parameter.completeShape([2, 3])
        #expect(parameter.data.elements(as: Float.self) == [1, 1, 1, 1, 1, 1])
    }
}
