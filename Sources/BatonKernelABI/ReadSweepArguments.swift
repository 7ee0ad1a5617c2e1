/// Reading memory at the highest rate: `count` times a vector of each of four regions, the vectors of a region `step` floats
/// apart. Regions that lie one vector apart make one stream, regions a quarter of the buffer apart make four.
public struct ReadSweepArguments {
    /// The first vector of the first region.
    public var base: UnsafePointer<Float>
    /// Floats from a region to the next.
    public var regionDistance: Int
    /// Floats from a vector of a region to the next.
    public var step: Int
    /// Vectors of a region.
    public var count: Int

    /// All values at once.
    public init(base: UnsafePointer<Float>, regionDistance: Int, step: Int, count: Int) {
        self.base = base
        self.regionDistance = regionDistance
        self.step = step
        self.count = count
    }
}
