import BatonChecks

/// Where training stands in its lanes: a plain value for checkpoints, the same for all ranks.
public struct LaneCursor: Codable, Hashable, Sendable {
    /// Epochs completed.
    public private(set) var epoch: Int
    /// The next window to train on, in 0 ..< windows per epoch.
    public private(set) var window: Int

    /// The start of the first epoch.
    public init() {
        epoch = 0
        window = 0
    }

    /// A cursor out of a checkpoint, for lanes of so many windows.
    ///
    /// - Throws: `DataError` (`badCursor`) when it does not lie in the lanes, because the text, the number of lanes or
    ///   the steps per window are not those of the checkpoint.
    public init(epoch: Int, window: Int, windowsPerEpoch: Int) throws(DataError) {
        self.epoch = epoch
        self.window = window
        try check(windowsPerEpoch: windowsPerEpoch)
    }

    /// Throws unless the cursor lies in lanes of so many windows; to be called on a decoded cursor.
    ///
    /// - Throws: `DataError` (`badCursor`).
    public func check(windowsPerEpoch: Int) throws(DataError) {
        guard epoch >= 0 && window >= 0 && window < windowsPerEpoch else {
            throw DataError(
                .badCursor,
                "The checkpoint stands at window \(window) of epoch \(epoch) where the text has \(windowsPerEpoch) "
                    + "windows per epoch; resume with the text, lanes and steps per window it was made with.")
        }
    }

    /// Whether the lanes are at their beginning, where recurrent state is zero.
    public var isAtLaneStart: Bool { window == 0 }

    /// Moves to the next window, and after the last one to the first of the next epoch.
    ///
    /// - Precondition: the cursor lies in the lanes.
    public mutating func advance(windowsPerEpoch: Int) {
        require(window < windowsPerEpoch, "LaneCursor: window \(window) of \(windowsPerEpoch)")
        window += 1
        if window == windowsPerEpoch {
            window = 0
            epoch += 1
        }
    }
}
