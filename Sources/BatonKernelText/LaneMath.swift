// exp, tanh and sigmoid on lanes. The same polynomial runs in full and partial vectors, so a value never
// depends on its position. Coefficients: weighted least squares made minimax by Lawson's iteration, relative error
// of the exact polynomials 3.1e-9 (exp) and 2.1e-8 (tanh). Maximum errors measured by the tests over all exponents:
// exp 2 ulp, sigmoid 3 ulp, tanh 4 ulp. NaN stays NaN.

@_transparent func clamped(_ x: Lane, to limit: Float) -> Lane {
    // In this form each side is one instruction.
    let upper = splat(limit)
    let lower = splat(-limit)
    let bounded = x.replacing(with: upper, where: x .> upper)
    return bounded.replacing(with: lower, where: bounded .< lower)
}

/// eˣ for |x| ≤ 87; beyond that the value at the limit.
@_transparent func laneExp(_ argument: Lane) -> Lane {
    let x = clamped(argument, to: 87)
    // Adding 1.5·2²³ rounds to an integer and leaves it in the low mantissa bits; the bias of exponents beside it.
    let magic = splat(12_582_912 + 127)
    let shifted = mulAdd(x, splat(1.442_695_04), magic)
    let n = shifted - magic
    // ln 2 in two parts, the first short enough for n·part to be exact.
    let r = mulAdd(n, splat(2.121_944_4e-4), mulAdd(n, splat(-0.693_359_375), x))
    var p = splat(0.001_381_459_79)
    p = mulAdd(p, r, splat(0.008_368_717_1))
    p = mulAdd(p, r, splat(0.041_668_388_1))
    p = mulAdd(p, r, splat(0.166_665_206_3))
    p = mulAdd(p, r, splat(0.499_999_934_5))
    p = mulAdd(p, r * r, r)
    // 2ⁿ, and of NaN anything: the product with p is NaN all the same.
    let power = unsafeBitCast(
        unsafeBitCast(shifted, to: LaneInteger.self) &<< LaneInteger(repeating: 23), to: Lane.self)
    return mulAdd(p, power, power)
}

/// 1 / (1 + e⁻ˣ).
@_transparent func laneSigmoid(_ x: Lane) -> Lane { splat(1) / (splat(1) + laneExp(negated(x))) }

/// −x by its sign alone, which the instructions that follow take in; `-x` would be a subtraction from zero.
@_transparent func negated(_ x: Lane) -> Lane {
    unsafeBitCast(unsafeBitCast(x, to: LaneInteger.self) ^ LaneInteger(repeating: .min), to: Lane.self)
}

/// tanh x = x·P(x²)/Q(x²). At the limit this is 1, with fused multiply-adds and without, and nothing below exceeds it: so
/// 1 − tanh² is never negative, and 0 beyond.
@_transparent func laneTanh(_ argument: Lane) -> Lane {
    let x = clamped(argument, to: 8.051_182_75)
    let u = x * x
    var p = splat(1.331_887_100e-8)
    p = mulAdd(p, u, splat(2.058_336_863e-5))
    p = mulAdd(p, u, splat(3.494_029_283e-3))
    p = mulAdd(p, u, splat(0.133_797_140_8))
    p = mulAdd(p, u, splat(0.999_999_979_1))
    var q = splat(7.761_946_519e-7)
    q = mulAdd(q, u, splat(3.283_083_070e-4))
    q = mulAdd(q, u, splat(0.025_871_054_9))
    q = mulAdd(q, u, splat(0.467_130_293_4))
    q = mulAdd(q, u, splat(1))
    return x * p / q
}
