import CLanes

/// Eight floats: one AVX register.
typealias Lane = SIMD8<Float>
typealias LaneInteger = SIMD8<Int32>
typealias LaneUnsigned = SIMD8<UInt32>
/// Two 32-bit lanes side by side.
typealias LaneWide = SIMD4<UInt64>
/// Rows of a register tile of so many column vectors: 3 × 4, 4 × 3 or 6 × 2 accumulators, the shorter side of their
/// operands and one of the other fit 16 registers.
@inline(__always) func tileRows(vectors: Int) -> Int { vectors > 3 ? 3 : vectors > 2 ? 4 : 6 }
/// Whether tiles are few rows high, because registers are few.
@inline(__always) var hasShortTiles: Bool { true }
/// Whether a panel that a single tile reads is fetched ahead of its use.
@inline(__always) var fetchesLonePanels: Bool { true }
/// Elements of its chains that a tile adds between two branches. The work of a branch and of counting is hidden behind the
/// 12 products of an element while a core is alone, but not while its sibling thread is busy too.
@inline(__always) var chainUnroll: Int { 4 }

/// a·b + c with one rounding.
@inline(__always) func mulAdd(_ a: Lane, _ b: Lane, _ c: Lane) -> Lane { baton_fma8(a, b, c) }

/// √x of every lane.
@inline(__always) func laneSquareRoot(_ x: Lane) -> Lane { baton_square_root8(x) }

/// Unaligned load.
@inline(__always) func load(_ pointer: UnsafePointer<Float>) -> Lane { baton_load8(pointer) }

/// Unaligned store.
@inline(__always) func store(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) { baton_store8(value, pointer) }

/// The first `count` lanes from memory, the others zero. Nothing beyond them is read.
@inline(__always) func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Lane {
    baton_load_partial8(pointer, count)
}

/// The first `count` lanes to memory. Nothing beyond them is written.
@inline(__always) func storePartial(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    baton_store_partial8(value, pointer, count)
}

/// The first of two rows of bf16 side by side, widened.
@_transparent func loadUpperBFloat16(_ pointer: UnsafeRawPointer) -> Lane { baton_load_bf16_high8(pointer) }

/// The second of them.
@_transparent func loadLowerBFloat16(_ pointer: UnsafeRawPointer) -> Lane { baton_load_bf16_low8(pointer) }

/// Bytes 0 and 2 of every element of `int8` panels: a pair of 16-bit integers.
@_transparent func loadEvenBytes(_ pointer: UnsafeRawPointer) -> Lane { baton_load_even_bytes8(pointer) }

/// Bytes 1 and 3.
@_transparent func loadOddBytes(_ pointer: UnsafeRawPointer) -> Lane { baton_load_odd_bytes8(pointer) }

/// Integers of 32 bits, all of them kept in floats' registers: sum + the products of the two 16-bit integers of a lane.
@_transparent func addPairProducts(_ sum: Lane, _ a: Lane, _ b: Lane) -> Lane {
    baton_add_pair_products8(sum, a, b)
}

/// No processor of this instruction set alone has AVX-512 VNNI or BF16, so formats of dot products are never met.
@inline(__always) var canHaveDotProducts: Bool { false }
/// The sum as it is.
@_transparent func addFourProducts(_ sum: Lane, _ a: Lane, _ b: Lane) -> Lane { sum }
@_transparent func addBFloat16PairProducts(_ sum: Lane, _ a: Lane, _ b: Lane) -> Lane { sum }

/// The integers of a register as floats.
@_transparent func fromIntegers(_ integers: Lane) -> Lane { baton_from_integers8(integers) }

/// The lower 16 bits of every lane, side by side.
@inline(__always) func storeLowHalves(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) {
    baton_store_low_halves8(value, pointer)
}

/// The lower 8 bits of every four lanes as one word, in the order 0, 2, 1, 3.
@inline(__always) func storeLowBytes(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) {
    baton_store_low_bytes8(value, pointer)
}

/// The upper 16 bits of every two lanes as one word, those of the first above; so many words are half of a vector.
@inline(__always) func storeUpperHalfPairs(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) {
    baton_store_upper_half_pairs8(value, pointer)
}
