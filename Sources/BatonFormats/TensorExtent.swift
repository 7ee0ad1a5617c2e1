/// Checks of dimensions that come out of a file, before anything is allocated from them.
enum TensorExtent {
    /// NumPy and PyTorch stop at 64 dimensions too.
    static let maximumRank = 64

    /// Bytes of a contiguous tensor, or nil when they cannot be counted or the last one is not full.
    ///
    /// A dimension of zero does not excuse the others: code that multiplies a part of the dimensions (a stride) must
    /// not overflow either.
    static func byteCount(shape: [Int], elementBitCount: Int) -> Int? {
        var bits = elementBitCount
        var isEmpty = false
        for dimension in shape {
            if dimension == 0 {
                isEmpty = true
                continue
            }
            let (product, overflow) = bits.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            bits = product
        }
        return isEmpty ? 0 : bits % 8 == 0 ? bits / 8 : nil
    }
}
