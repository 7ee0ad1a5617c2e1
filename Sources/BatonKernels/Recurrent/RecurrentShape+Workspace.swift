import BatonKernelABI

extension RecurrentShape {
    /// Gates kept per unit: the GRU saves the hidden product of n beside r, z, n.
    var savedGates: Int { cell == .gru ? 4 : cell.gateCount }

    /// Distance between rows of gates on the packed kernels. One line more than the gates need: rows a power of two apart
    /// would fall on the same few cache sets.
    public func gateRowStride(lanes: Int) -> Int { savedGates * ((hidden + lanes - 1) / lanes * lanes) + 16 }

    /// Elements that parts of the units share in a pass over T steps of N rows, for `RecurrentForward.shared`: in training
    /// the gates, and what is projected with its gradient; in inference what one step projects.
    public func sharedCount(steps: Int, rows: Int, training: Bool) -> Int {
        guard training else { return projection == nil ? 0 : rows * hidden }
        let gates = gateRowStride(lanes: KernelSelection.activeTable.laneCount)
        return steps * rows * (gates + (projection == nil ? 0 : hidden + outputSize))
    }
}
