/// Turns narrow elements into wider ones in the memory the wider ones will fill.
enum TensorWidening {
    /// `count` narrow elements lie at the end of the memory of as many wide ones and become these, in place.
    ///
    /// With sizes s < w, the wide element i covers bytes up to w·(i + 1), and the unread narrow element i + 1 starts
    /// at (w − s)·count + s·(i + 1), which is no less for every i < count: ascending order is safe.
    static func spread<Narrow: BitwiseCopyable, Wide: BitwiseCopyable>(
        _ memory: UnsafeMutableRawPointer, count: Int, _ widen: (Narrow) -> Wide
    ) {
        let (narrow, wide) = (MemoryLayout<Narrow>.size, MemoryLayout<Wide>.size)
        let start = (wide - narrow) * count
        for index in 0..<count {
            let value = memory.load(fromByteOffset: start + narrow * index, as: Narrow.self)
            memory.storeBytes(of: widen(value), toByteOffset: wide * index, as: Wide.self)
        }
    }
}
