internal import BatonKernelABI

/// The element-wise kernels of this target's instruction set.
func makeElementWiseTable() -> ElementWiseTable {
    ElementWiseTable(
        add: { combine($0, $1, $2, $3, false) { x, y, _ in x + y } },
        multiply: { combine($0, $1, $2, $3, $4) { x, y, there in mulAdd(x, y, there) } },
        scale: { x, factor, out, count, adds in
            let factor = splat(factor)
            combine(x, x, out, count, adds) { x, _, there in mulAdd(factor, x, there) }
        },
        relu: { combine($0, $0, $1, $2, false) { x, _, _ in x.replacing(with: splat(0), where: x .<= splat(0)) } },
        tanhGradient: { combine($0, $1, $2, $3, $4) { y, dy, there in there + dy * mulAdd(-y, y, splat(1)) } },
        reluGradient: {
            combine($0, $1, $2, $3, $4) { y, dy, there in there + dy.replacing(with: splat(0), where: y .<= splat(0)) }
        },
        sigmoidGradient: { combine($0, $1, $2, $3, $4) { y, dy, there in there + dy * (y * (splat(1) - y)) } },
        dropout: dropout, softmaxTerms: softmaxTerms, sumOfSquares: sumOfSquares, momentumUpdate: momentumUpdate,
        adamUpdate: adamUpdate, rmsPropUpdate: rmsPropUpdate)
}

/// out = function(x, y, there), vector by vector; `there` is what `out` held, or zero unless `adds`.
@inline(__always) private func combine(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ count: Int,
    _ adds: Bool, _ function: (Lane, Lane, Lane) -> Lane
) {
    var index = 0
    while index < count {
        let rest = count &- index
        let whole = rest >= laneCount
        let there = adds ? (whole ? load(out + index) : loadPartial(out + index, rest)) : splat(0)
        let result = function(
            whole ? load(x + index) : loadPartial(x + index, rest),
            whole ? load(y + index) : loadPartial(y + index, rest), there)
        if whole { store(result, out + index) } else { storePartial(result, out + index, rest) }
        index &+= laneCount
    }
}
