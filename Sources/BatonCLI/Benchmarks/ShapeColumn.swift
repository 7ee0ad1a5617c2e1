/// The first column of a table of shapes: the line of a shape file, so that a row can be copied into one.
enum ShapeColumn {
    static let title = "cell T N I H"

    /// Characters the widest shape takes.
    static func width(_ shapes: [KernelShape]) -> Int {
        max(title.count, shapes.map { KernelShapeFile.line($0).count }.max() ?? 0)
    }
}
