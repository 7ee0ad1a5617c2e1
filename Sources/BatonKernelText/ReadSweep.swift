import BatonKernelABI

/// Loads every vector of four regions once and adds them up: as little arithmetic as keeps the loads from being left out.
func readSweep(_ arguments: ReadSweepArguments) -> Float {
    var (first, second, third, fourth) = (splat(0), splat(0), splat(0), splat(0))
    var pointer = arguments.base
    let distance = arguments.regionDistance
    for _ in 0..<arguments.count {
        first += load(pointer)
        second += load(pointer + distance)
        third += load(pointer + 2 &* distance)
        fourth += load(pointer + 3 &* distance)
        pointer += arguments.step
    }
    let lanes = (first + second) + (third + fourth)
    var sum: Float = 0
    for lane in 0..<laneCount { sum += lanes[lane] }
    return sum
}
