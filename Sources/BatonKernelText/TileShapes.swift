import BatonKernelABI

/// Work on register tiles of any shape; `rows` and `vectors` are constants at every call of `run`.
protocol TileWork {
    func run(rows: Int, vectors: Int)
}

/// A shape of tiles, known to the compiler.
///
/// A function for each: of several in one function, the optimiser leaves some as calls of `run`, whose accumulators are then
/// in memory, ten times slower (`.ci/check-symbols` looks for that).
enum TileShape<let rows: Int, let vectors: Int> {
    @inline(never) static func run(_ work: some TileWork) { work.run(rows: rows, vectors: vectors) }
}

extension TileWork {
    /// `run` with the shape as constants.
    ///
    /// - Parameters:
    ///   - rows: 1...`tileRows(vectors:)`.
    ///   - vectors: 1...4.
    @inline(__always) func run(shape rows: Int, _ vectors: Int) {
        if rows > 3 {
            if tileRows(vectors: 4) > 3 {
                switch (rows, vectors) {
                case (6, 4): return TileShape<6, 4>.run(self)
                case (5, 4): return TileShape<5, 4>.run(self)
                case (4, 4): return TileShape<4, 4>.run(self)
                default: break
                }
            }
            if tileRows(vectors: 3) > 4 {
                switch (rows, vectors) {
                case (6, 3): return TileShape<6, 3>.run(self)
                case (5, 3): return TileShape<5, 3>.run(self)
                default: break
                }
            }
            switch (rows, vectors) {
            case (4, 3): TileShape<4, 3>.run(self)
            case (6, 2): TileShape<6, 2>.run(self)
            case (5, 2): TileShape<5, 2>.run(self)
            case (4, 2): TileShape<4, 2>.run(self)
            case (6, 1): TileShape<6, 1>.run(self)
            case (5, 1): TileShape<5, 1>.run(self)
            default: TileShape<4, 1>.run(self)
            }
            return
        }
        switch (rows, vectors) {
        case (3, 4): TileShape<3, 4>.run(self)
        case (3, 3): TileShape<3, 3>.run(self)
        case (3, 2): TileShape<3, 2>.run(self)
        case (3, 1): TileShape<3, 1>.run(self)
        case (2, 4): TileShape<2, 4>.run(self)
        case (2, 3): TileShape<2, 3>.run(self)
        case (2, 2): TileShape<2, 2>.run(self)
        case (2, 1): TileShape<2, 1>.run(self)
        case (1, 4): TileShape<1, 4>.run(self)
        case (1, 3): TileShape<1, 3>.run(self)
        case (1, 2): TileShape<1, 2>.run(self)
        default: TileShape<1, 1>.run(self)
        }
    }
}

/// A format of panels, known to the compiler: a function of a shape holds the loop of one.
protocol OneFormat {
    static var format: PanelFormat { get }
}
enum Float32Panel: OneFormat {
    @inline(__always) static var format: PanelFormat { .float32 }
}
enum BFloat16Panel: OneFormat {
    @inline(__always) static var format: PanelFormat { .bfloat16 }
}
enum BFloat16DotPanel: OneFormat {
    @inline(__always) static var format: PanelFormat { .bfloat16Dot }
}
enum Int8Panel: OneFormat {
    @inline(__always) static var format: PanelFormat { .int8 }
}
enum Int8DotPanel: OneFormat {
    @inline(__always) static var format: PanelFormat { .int8Dot }
}
