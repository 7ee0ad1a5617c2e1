package import BatonKernels

extension LeafPlan {
    /// What is said of a batch that has other rows than the context is for.
    package func mismatch(_ name: String, _ rows: Int, _ shape: [Int], _ layout: SequenceLayout) -> String {
        "\(name): the context is for \(rowCount) rows, and \(shape) has \(rows)"
            + (shape.count == 3 ? " as \(layout.rawValue); if they lie the other way, say so with layout:," : ";")
            + " else make the context with rows: \(rows)"
    }
}
