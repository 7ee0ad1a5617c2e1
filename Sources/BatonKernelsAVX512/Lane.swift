import CLanes

/// Sixteen floats: one AVX-512 register.
typealias Lane = SIMD16<Float>
typealias LaneInteger = SIMD16<Int32>
typealias LaneUnsigned = SIMD16<UInt32>
/// Two 32-bit lanes side by side.
typealias LaneWide = SIMD8<UInt64>
/// Rows of a register tile of so many column vectors: 6 × 4 accumulators, 4 columns of weights, and a broadcast fit 32
/// registers.
@inline(__always) func tileRows(vectors: Int) -> Int { 6 }
/// Whether tiles are few rows high, because registers are few.
@inline(__always) var hasShortTiles: Bool { false }
/// Whether a panel that a single tile reads is fetched ahead of its use. Not where a load takes a whole line: the processor's
/// own prefetching then reads as fast as can be, and a prefetch beside every load costs a fifth of that (measured on Zen 4).
@inline(__always) var fetchesLonePanels: Bool { false }
/// Elements of its chains that a tile adds between two branches. The work of a branch and of counting is hidden behind the
/// 24 products of an element while a core is alone, but not while its sibling thread is busy too.
@inline(__always) var chainUnroll: Int { 2 }

/// a·b + c with one rounding.
@inline(__always) func mulAdd(_ a: Lane, _ b: Lane, _ c: Lane) -> Lane { baton_fma16(a, b, c) }

/// √x of every lane.
@inline(__always) func laneSquareRoot(_ x: Lane) -> Lane { baton_square_root16(x) }

/// Unaligned load.
@inline(__always) func load(_ pointer: UnsafePointer<Float>) -> Lane { baton_load16(pointer) }

/// Unaligned store.
@inline(__always) func store(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) { baton_store16(value, pointer) }

/// The first `count` lanes from memory, the others zero. Nothing beyond them is read.
@inline(__always) func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Lane {
    baton_load_partial16(pointer, count)
}

/// The first `count` lanes to memory. Nothing beyond them is written.
@inline(__always) func storePartial(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    baton_store_partial16(value, pointer, count)
}

/// The first of two rows of bf16 side by side, widened.
@_transparent func loadUpperBFloat16(_ pointer: UnsafeRawPointer) -> Lane { baton_load_bf16_high16(pointer) }

/// The second of them.
@_transparent func loadLowerBFloat16(_ pointer: UnsafeRawPointer) -> Lane { baton_load_bf16_low16(pointer) }

/// Bytes 0 and 2 of every element of `int8` panels: a pair of 16-bit integers.
@_transparent func loadEvenBytes(_ pointer: UnsafeRawPointer) -> Lane { baton_load_even_bytes16(pointer) }

/// Bytes 1 and 3.
@_transparent func loadOddBytes(_ pointer: UnsafeRawPointer) -> Lane { baton_load_odd_bytes16(pointer) }

/// Integers of 32 bits, all of them kept in floats' registers: sum + the products of the two 16-bit integers of a lane.
@_transparent func addPairProducts(_ sum: Lane, _ a: Lane, _ b: Lane) -> Lane {
    baton_add_pair_products16(sum, a, b)
}

/// Some processors of this instruction set have AVX-512 VNNI, some AVX-512 BF16.
@inline(__always) var canHaveDotProducts: Bool { true }

/// sum + the products of the four bytes of a lane, with signs in `a` and without in `b`.
@_transparent func addFourProducts(_ sum: Lane, _ a: Lane, _ b: Lane) -> Lane { baton_add_four_products16(sum, a, b) }

/// sum + the product of the upper bf16 of a lane, then + that of the lower.
@_transparent func addBFloat16PairProducts(_ sum: Lane, _ a: Lane, _ b: Lane) -> Lane {
    baton_add_bf16_pair_products16(sum, a, b)
}

/// The integers of a register as floats.
@_transparent func fromIntegers(_ integers: Lane) -> Lane { baton_from_integers16(integers) }

/// The lower 16 bits of every lane, side by side.
@inline(__always) func storeLowHalves(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) {
    baton_store_low_halves16(value, pointer)
}

/// The lower 8 bits of every four lanes as one word, in the order 0, 2, 1, 3.
@inline(__always) func storeLowBytes(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) {
    baton_store_low_bytes16(value, pointer)
}

/// The upper 16 bits of every two lanes as one word, those of the first above; so many words are half of a vector.
@inline(__always) func storeUpperHalfPairs(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>) {
    baton_store_upper_half_pairs16(value, pointer)
}
