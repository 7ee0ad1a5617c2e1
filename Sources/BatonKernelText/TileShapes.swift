import BatonKernelABI

// A function for each shape of a tile, rows × vectors: of several in one function, the optimiser leaves some as calls of
// `TilePiece.run`, whose accumulators are then in memory, ten times slower (`.ci/check-symbols` looks for that).

@inline(never) private func extendFloat32As6x4(_ piece: TilePiece) { piece.run(rows: 6, vectors: 4, format: .float32) }
@inline(never) private func extendFloat32As6x3(_ piece: TilePiece) { piece.run(rows: 6, vectors: 3, format: .float32) }
@inline(never) private func extendFloat32As6x2(_ piece: TilePiece) { piece.run(rows: 6, vectors: 2, format: .float32) }
@inline(never) private func extendFloat32As6x1(_ piece: TilePiece) { piece.run(rows: 6, vectors: 1, format: .float32) }
@inline(never) private func extendFloat32As5x4(_ piece: TilePiece) { piece.run(rows: 5, vectors: 4, format: .float32) }
@inline(never) private func extendFloat32As5x3(_ piece: TilePiece) { piece.run(rows: 5, vectors: 3, format: .float32) }
@inline(never) private func extendFloat32As5x2(_ piece: TilePiece) { piece.run(rows: 5, vectors: 2, format: .float32) }
@inline(never) private func extendFloat32As5x1(_ piece: TilePiece) { piece.run(rows: 5, vectors: 1, format: .float32) }
@inline(never) private func extendFloat32As4x4(_ piece: TilePiece) { piece.run(rows: 4, vectors: 4, format: .float32) }
@inline(never) private func extendFloat32As4x3(_ piece: TilePiece) { piece.run(rows: 4, vectors: 3, format: .float32) }
@inline(never) private func extendFloat32As4x2(_ piece: TilePiece) { piece.run(rows: 4, vectors: 2, format: .float32) }
@inline(never) private func extendFloat32As4x1(_ piece: TilePiece) { piece.run(rows: 4, vectors: 1, format: .float32) }
@inline(never) private func extendFloat32As3x4(_ piece: TilePiece) { piece.run(rows: 3, vectors: 4, format: .float32) }
@inline(never) private func extendFloat32As3x3(_ piece: TilePiece) { piece.run(rows: 3, vectors: 3, format: .float32) }
@inline(never) private func extendFloat32As3x2(_ piece: TilePiece) { piece.run(rows: 3, vectors: 2, format: .float32) }
@inline(never) private func extendFloat32As3x1(_ piece: TilePiece) { piece.run(rows: 3, vectors: 1, format: .float32) }
@inline(never) private func extendFloat32As2x4(_ piece: TilePiece) { piece.run(rows: 2, vectors: 4, format: .float32) }
@inline(never) private func extendFloat32As2x3(_ piece: TilePiece) { piece.run(rows: 2, vectors: 3, format: .float32) }
@inline(never) private func extendFloat32As2x2(_ piece: TilePiece) { piece.run(rows: 2, vectors: 2, format: .float32) }
@inline(never) private func extendFloat32As2x1(_ piece: TilePiece) { piece.run(rows: 2, vectors: 1, format: .float32) }
@inline(never) private func extendFloat32As1x4(_ piece: TilePiece) { piece.run(rows: 1, vectors: 4, format: .float32) }
@inline(never) private func extendFloat32As1x3(_ piece: TilePiece) { piece.run(rows: 1, vectors: 3, format: .float32) }
@inline(never) private func extendFloat32As1x2(_ piece: TilePiece) { piece.run(rows: 1, vectors: 2, format: .float32) }
@inline(never) private func extendFloat32As1x1(_ piece: TilePiece) { piece.run(rows: 1, vectors: 1, format: .float32) }

func extendFloat32(_ piece: TilePiece, _ rows: Int, _ vectors: Int) {
    if tileRows > 3 {
        switch (rows, vectors) {
        case (6, 4): return extendFloat32As6x4(piece)
        case (6, 3): return extendFloat32As6x3(piece)
        case (6, 2): return extendFloat32As6x2(piece)
        case (6, 1): return extendFloat32As6x1(piece)
        case (5, 4): return extendFloat32As5x4(piece)
        case (5, 3): return extendFloat32As5x3(piece)
        case (5, 2): return extendFloat32As5x2(piece)
        case (5, 1): return extendFloat32As5x1(piece)
        case (4, 4): return extendFloat32As4x4(piece)
        case (4, 3): return extendFloat32As4x3(piece)
        case (4, 2): return extendFloat32As4x2(piece)
        case (4, 1): return extendFloat32As4x1(piece)
        default: break
        }
    }
    switch (rows, vectors) {
    case (3, 4): extendFloat32As3x4(piece)
    case (3, 3): extendFloat32As3x3(piece)
    case (3, 2): extendFloat32As3x2(piece)
    case (3, 1): extendFloat32As3x1(piece)
    case (2, 4): extendFloat32As2x4(piece)
    case (2, 3): extendFloat32As2x3(piece)
    case (2, 2): extendFloat32As2x2(piece)
    case (2, 1): extendFloat32As2x1(piece)
    case (1, 4): extendFloat32As1x4(piece)
    case (1, 3): extendFloat32As1x3(piece)
    case (1, 2): extendFloat32As1x2(piece)
    default: extendFloat32As1x1(piece)
    }
}

@inline(never) private func extendBFloat16As6x4(_ piece: TilePiece) {
    piece.run(rows: 6, vectors: 4, format: .bfloat16)
}
@inline(never) private func extendBFloat16As6x3(_ piece: TilePiece) {
    piece.run(rows: 6, vectors: 3, format: .bfloat16)
}
@inline(never) private func extendBFloat16As6x2(_ piece: TilePiece) {
    piece.run(rows: 6, vectors: 2, format: .bfloat16)
}
@inline(never) private func extendBFloat16As6x1(_ piece: TilePiece) {
    piece.run(rows: 6, vectors: 1, format: .bfloat16)
}
@inline(never) private func extendBFloat16As5x4(_ piece: TilePiece) {
    piece.run(rows: 5, vectors: 4, format: .bfloat16)
}
@inline(never) private func extendBFloat16As5x3(_ piece: TilePiece) {
    piece.run(rows: 5, vectors: 3, format: .bfloat16)
}
@inline(never) private func extendBFloat16As5x2(_ piece: TilePiece) {
    piece.run(rows: 5, vectors: 2, format: .bfloat16)
}
@inline(never) private func extendBFloat16As5x1(_ piece: TilePiece) {
    piece.run(rows: 5, vectors: 1, format: .bfloat16)
}
@inline(never) private func extendBFloat16As4x4(_ piece: TilePiece) {
    piece.run(rows: 4, vectors: 4, format: .bfloat16)
}
@inline(never) private func extendBFloat16As4x3(_ piece: TilePiece) {
    piece.run(rows: 4, vectors: 3, format: .bfloat16)
}
@inline(never) private func extendBFloat16As4x2(_ piece: TilePiece) {
    piece.run(rows: 4, vectors: 2, format: .bfloat16)
}
@inline(never) private func extendBFloat16As4x1(_ piece: TilePiece) {
    piece.run(rows: 4, vectors: 1, format: .bfloat16)
}
@inline(never) private func extendBFloat16As3x4(_ piece: TilePiece) {
    piece.run(rows: 3, vectors: 4, format: .bfloat16)
}
@inline(never) private func extendBFloat16As3x3(_ piece: TilePiece) {
    piece.run(rows: 3, vectors: 3, format: .bfloat16)
}
@inline(never) private func extendBFloat16As3x2(_ piece: TilePiece) {
    piece.run(rows: 3, vectors: 2, format: .bfloat16)
}
@inline(never) private func extendBFloat16As3x1(_ piece: TilePiece) {
    piece.run(rows: 3, vectors: 1, format: .bfloat16)
}
@inline(never) private func extendBFloat16As2x4(_ piece: TilePiece) {
    piece.run(rows: 2, vectors: 4, format: .bfloat16)
}
@inline(never) private func extendBFloat16As2x3(_ piece: TilePiece) {
    piece.run(rows: 2, vectors: 3, format: .bfloat16)
}
@inline(never) private func extendBFloat16As2x2(_ piece: TilePiece) {
    piece.run(rows: 2, vectors: 2, format: .bfloat16)
}
@inline(never) private func extendBFloat16As2x1(_ piece: TilePiece) {
    piece.run(rows: 2, vectors: 1, format: .bfloat16)
}
@inline(never) private func extendBFloat16As1x4(_ piece: TilePiece) {
    piece.run(rows: 1, vectors: 4, format: .bfloat16)
}
@inline(never) private func extendBFloat16As1x3(_ piece: TilePiece) {
    piece.run(rows: 1, vectors: 3, format: .bfloat16)
}
@inline(never) private func extendBFloat16As1x2(_ piece: TilePiece) {
    piece.run(rows: 1, vectors: 2, format: .bfloat16)
}
@inline(never) private func extendBFloat16As1x1(_ piece: TilePiece) {
    piece.run(rows: 1, vectors: 1, format: .bfloat16)
}

func extendBFloat16(_ piece: TilePiece, _ rows: Int, _ vectors: Int) {
    if tileRows > 3 {
        switch (rows, vectors) {
        case (6, 4): return extendBFloat16As6x4(piece)
        case (6, 3): return extendBFloat16As6x3(piece)
        case (6, 2): return extendBFloat16As6x2(piece)
        case (6, 1): return extendBFloat16As6x1(piece)
        case (5, 4): return extendBFloat16As5x4(piece)
        case (5, 3): return extendBFloat16As5x3(piece)
        case (5, 2): return extendBFloat16As5x2(piece)
        case (5, 1): return extendBFloat16As5x1(piece)
        case (4, 4): return extendBFloat16As4x4(piece)
        case (4, 3): return extendBFloat16As4x3(piece)
        case (4, 2): return extendBFloat16As4x2(piece)
        case (4, 1): return extendBFloat16As4x1(piece)
        default: break
        }
    }
    switch (rows, vectors) {
    case (3, 4): extendBFloat16As3x4(piece)
    case (3, 3): extendBFloat16As3x3(piece)
    case (3, 2): extendBFloat16As3x2(piece)
    case (3, 1): extendBFloat16As3x1(piece)
    case (2, 4): extendBFloat16As2x4(piece)
    case (2, 3): extendBFloat16As2x3(piece)
    case (2, 2): extendBFloat16As2x2(piece)
    case (2, 1): extendBFloat16As2x1(piece)
    case (1, 4): extendBFloat16As1x4(piece)
    case (1, 3): extendBFloat16As1x3(piece)
    case (1, 2): extendBFloat16As1x2(piece)
    default: extendBFloat16As1x1(piece)
    }
}

@inline(never) private func extendInt8As6x4(_ piece: TilePiece) { piece.run(rows: 6, vectors: 4, format: .int8) }
@inline(never) private func extendInt8As6x3(_ piece: TilePiece) { piece.run(rows: 6, vectors: 3, format: .int8) }
@inline(never) private func extendInt8As6x2(_ piece: TilePiece) { piece.run(rows: 6, vectors: 2, format: .int8) }
@inline(never) private func extendInt8As6x1(_ piece: TilePiece) { piece.run(rows: 6, vectors: 1, format: .int8) }
@inline(never) private func extendInt8As5x4(_ piece: TilePiece) { piece.run(rows: 5, vectors: 4, format: .int8) }
@inline(never) private func extendInt8As5x3(_ piece: TilePiece) { piece.run(rows: 5, vectors: 3, format: .int8) }
@inline(never) private func extendInt8As5x2(_ piece: TilePiece) { piece.run(rows: 5, vectors: 2, format: .int8) }
@inline(never) private func extendInt8As5x1(_ piece: TilePiece) { piece.run(rows: 5, vectors: 1, format: .int8) }
@inline(never) private func extendInt8As4x4(_ piece: TilePiece) { piece.run(rows: 4, vectors: 4, format: .int8) }
@inline(never) private func extendInt8As4x3(_ piece: TilePiece) { piece.run(rows: 4, vectors: 3, format: .int8) }
@inline(never) private func extendInt8As4x2(_ piece: TilePiece) { piece.run(rows: 4, vectors: 2, format: .int8) }
@inline(never) private func extendInt8As4x1(_ piece: TilePiece) { piece.run(rows: 4, vectors: 1, format: .int8) }
@inline(never) private func extendInt8As3x4(_ piece: TilePiece) { piece.run(rows: 3, vectors: 4, format: .int8) }
@inline(never) private func extendInt8As3x3(_ piece: TilePiece) { piece.run(rows: 3, vectors: 3, format: .int8) }
@inline(never) private func extendInt8As3x2(_ piece: TilePiece) { piece.run(rows: 3, vectors: 2, format: .int8) }
@inline(never) private func extendInt8As3x1(_ piece: TilePiece) { piece.run(rows: 3, vectors: 1, format: .int8) }
@inline(never) private func extendInt8As2x4(_ piece: TilePiece) { piece.run(rows: 2, vectors: 4, format: .int8) }
@inline(never) private func extendInt8As2x3(_ piece: TilePiece) { piece.run(rows: 2, vectors: 3, format: .int8) }
@inline(never) private func extendInt8As2x2(_ piece: TilePiece) { piece.run(rows: 2, vectors: 2, format: .int8) }
@inline(never) private func extendInt8As2x1(_ piece: TilePiece) { piece.run(rows: 2, vectors: 1, format: .int8) }
@inline(never) private func extendInt8As1x4(_ piece: TilePiece) { piece.run(rows: 1, vectors: 4, format: .int8) }
@inline(never) private func extendInt8As1x3(_ piece: TilePiece) { piece.run(rows: 1, vectors: 3, format: .int8) }
@inline(never) private func extendInt8As1x2(_ piece: TilePiece) { piece.run(rows: 1, vectors: 2, format: .int8) }
@inline(never) private func extendInt8As1x1(_ piece: TilePiece) { piece.run(rows: 1, vectors: 1, format: .int8) }

func extendInt8(_ piece: TilePiece, _ rows: Int, _ vectors: Int) {
    if tileRows > 3 {
        switch (rows, vectors) {
        case (6, 4): return extendInt8As6x4(piece)
        case (6, 3): return extendInt8As6x3(piece)
        case (6, 2): return extendInt8As6x2(piece)
        case (6, 1): return extendInt8As6x1(piece)
        case (5, 4): return extendInt8As5x4(piece)
        case (5, 3): return extendInt8As5x3(piece)
        case (5, 2): return extendInt8As5x2(piece)
        case (5, 1): return extendInt8As5x1(piece)
        case (4, 4): return extendInt8As4x4(piece)
        case (4, 3): return extendInt8As4x3(piece)
        case (4, 2): return extendInt8As4x2(piece)
        case (4, 1): return extendInt8As4x1(piece)
        default: break
        }
    }
    switch (rows, vectors) {
    case (3, 4): extendInt8As3x4(piece)
    case (3, 3): extendInt8As3x3(piece)
    case (3, 2): extendInt8As3x2(piece)
    case (3, 1): extendInt8As3x1(piece)
    case (2, 4): extendInt8As2x4(piece)
    case (2, 3): extendInt8As2x3(piece)
    case (2, 2): extendInt8As2x2(piece)
    case (2, 1): extendInt8As2x1(piece)
    case (1, 4): extendInt8As1x4(piece)
    case (1, 3): extendInt8As1x3(piece)
    case (1, 2): extendInt8As1x2(piece)
    default: extendInt8As1x1(piece)
    }
}
