import BatonKernelABI

extension RecurrentShape {
    /// Gates kept per unit: the GRU saves the hidden product of n beside r, z, n.
    var savedGates: Int { cell == .gru ? 4 : cell.gateCount }

    /// Distance between rows of gates on the packed kernels. One line more than the gates need: rows a power of two apart
    /// would fall on the same few cache sets.
    public func gateRowStride(lanes: Int) -> Int { savedGates * ((hidden + lanes - 1) / lanes * lanes) + 16 }

    /// Elements that parts of the units share in a pass over T·N rows, for `RecurrentForward.shared`: the gates of
    /// training, and what is projected with its gradient.
    public func sharedCount(rows: Int, training: Bool) -> Int {
        let gates = training ? gateRowStride(lanes: KernelSelection.activeTable.laneCount) : 0
        return rows * (gates + (projection == nil ? 0 : hidden + (training ? outputSize : 0)))
    }
}
