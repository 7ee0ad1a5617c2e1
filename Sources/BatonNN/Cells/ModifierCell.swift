import BatonChecks
public import BatonTensor

/// A cell that changes what another one does; the base of `ZoneoutCell`, `ResidualCell` and `VariationalDropoutCell`.
///
/// The base cell keeps its parameters and its names; it is stepped and asked for states through the modifier only.
/// The modifier has the base's prefix and an alias (`lstm0_zoneout`), and the base as child `base_cell`.
/// Source: Gluon `ModifierCell` (parity 1.5).
open class ModifierCell: RecurrentCell {
    /// What is modified.
    public let baseCell: RecurrentCell

    /// - Parameters:
    ///   - baseCell: becomes the modifier's.
    ///   - alias: ends the modifier's prefix.
    /// - Precondition: no other modifier wraps the base.
    public init(_ baseCell: RecurrentCell, alias: String) {
        require(
            !baseCell.isModified,
            "\(baseCell.name) is wrapped by a modifier already; wrap the modifier, or make another cell")
        self.baseCell = baseCell
        baseCell.isModified = true
        super.init(BlockOutline(fullPrefix: baseCell.prefix + alias, params: baseCell.params))
        register(child: baseCell, name: "base_cell")
    }

    open override func stateInfo(batchSize: Int = 0) -> [StateInfo] { baseCell.stateInfo(batchSize: batchSize) }

    open override func beginState(
        batchSize: Int, _ function: StateFunction = .zeros, dtype: DType? = nil
    ) -> [Variable] {
        require(!isModified, "\(name): another modifier wraps this one; ask that one for initial states")
        return unmodified { baseCell.beginState(batchSize: batchSize, function, dtype: dtype) }
    }

    open override func inferShape(_ input: [Int]) throws(NNError) -> [Int] { try baseCell.inferShape(input) }

    /// The base as if no modifier wrapped it, while `body` runs.
    public final func unmodified<Result>(_ body: () -> Result) -> Result {
        baseCell.isModified = false
        defer { baseCell.isModified = true }
        return body()
    }
}
