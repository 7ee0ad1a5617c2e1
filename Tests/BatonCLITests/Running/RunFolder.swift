import Baton
import BatonTestSupport

/// A folder with the files of one `baton run`, and the comparison of what it wrote.
struct RunFolder {
    let folder: TemporaryFolder
    let dtype: DType

    init(dtype: DType) throws {
        folder = try TemporaryFolder()
        self.dtype = dtype
    }

    func remove() { folder.remove() }
    func path(_ name: String) -> String { folder.file(name) }

    /// A tensor of the folder's type.
    func tensor(_ values: [Double], _ shape: [Int]) -> Tensor {
        dtype == .float64 ? Tensor(values, shape: shape) : Tensor(values.map { Float($0) }, shape: shape)
    }

    /// Writes an array and returns its path.
    @discardableResult
    func write(_ values: [Double], _ shape: [Int], as name: String) throws -> String {
        try NPYFile.write(tensor(values, shape), to: path(name))
        return path(name)
    }

    /// Writes a weights file and returns its path.
    @discardableResult
    func writeWeights(_ tensors: [(name: String, values: [Double], shape: [Int])]) throws -> String {
        var named = NamedTensors()
        for (name, values, shape) in tensors { named[name] = tensor(values, shape) }
        try SafetensorsWriter.write(named, to: path("w.safetensors"))
        return path("w.safetensors")
    }

    /// What is wrong with an array that was written; nil when its type and shape are right and its values near enough.
    func violation(_ name: String, _ expected: [Double], _ shape: [Int], tolerance: Double) throws -> String? {
        let tensor = try NPYFile.read(path: path(name))
        guard tensor.dtype == dtype, tensor.shape == shape else {
            return "\(name) is \(tensor.dtype) \(tensor.shape), expected \(dtype) \(shape)"
        }
        let values =
            dtype == .float64
            ? tensor.elements(as: Double.self) : tensor.elements(as: Float.self).map { Double($0) }
        return Tolerance.violation(name, values, expected, tolerance: tolerance)
    }
}

/// Every instruction set of this machine with both backends, as environment variables.
let kernelEnvironments: [[String: String]] = InstructionSet.available.flatMap { set in
    ["packed", "blas"].map { ["BATON_ISA": set.rawValue, "BATON_KERNELS": $0] }
}
