/// Number of floats in a lane vector.
@inline(__always) var laneCount: Int { Lane.scalarCount }

@inline(__always) func splat(_ value: Float) -> Lane { Lane(repeating: value) }

/// The smaller of two; the standard library's generic `min` leaves a weak symbol behind.
@inline(__always) func smaller(_ a: Int, _ b: Int) -> Int { a < b ? a : b }
