/// Rows of x·W with its bias that were made beforehand, gate g of unit u at g·`gateStride` + u as in the gates: row n of a
/// step begins at `base + (numbers?[n·numberStride] ?? n)·rowStride`.
public struct InputProduct {
    /// First element.
    public var base: UnsafePointer<Float>
    /// Distance between rows.
    public var rowStride: Int
    /// Which row is that of each row of the step; nil is the same one.
    public var numbers: UnsafePointer<Int32>?
    /// Distance between the numbers of two rows.
    public var numberStride: Int

    /// All values at once.
    public init(
        base: UnsafePointer<Float>, rowStride: Int, numbers: UnsafePointer<Int32>? = nil, numberStride: Int = 1
    ) {
        self.base = base
        self.rowStride = rowStride
        self.numbers = numbers
        self.numberStride = numberStride
    }

    /// Row n of the step.
    @_transparent public func row(_ row: Int) -> UnsafePointer<Float> {
        let number = if let numbers { Int(numbers[row &* numberStride]) } else { row }
        return base + number &* rowStride
    }
}

/// What a step is in either direction.
public struct RecurrentStep {
    /// N.
    public var rows: Int
    /// H: units of this part of the layer.
    public var hiddenSize: Int
    /// RNN: relu instead of tanh.
    public var usesRelu: Bool
    /// LSTM: limits of c; nil is none.
    public var stateClip: StateClip?
    /// Whether panels are worked on from the last to the first: every other step, so that a step finds in the cache
    /// what the one before read last. Makes no difference to the bits.
    public var descends: Bool
    /// Space for sums that are not complete: `KernelTable.scratchCount` floats.
    public var scratch: UnsafeMutablePointer<Float>

    /// All values at once.
    public init(
        rows: Int, hiddenSize: Int, usesRelu: Bool, stateClip: StateClip?, descends: Bool,
        scratch: UnsafeMutablePointer<Float>
    ) {
        self.rows = rows
        self.hiddenSize = hiddenSize
        self.usesRelu = usesRelu
        self.stateClip = stateClip
        self.descends = descends
        self.scratch = scratch
    }
}

/// The biases and scales of the gates of a step, by panel: LSTM 4 gates × lanes per unit strip; GRU r, z, n of the input
/// side; RNN by unit strip.
public struct GateConstants {
    /// What the chains begin with.
    public var bias: UnsafePointer<Float>
    /// GRU: bias of the hidden product of n, by unit strip.
    public var hiddenCandidateBias: UnsafePointer<Float>
    /// What the sums of every gate column are multiplied by, for panels of integers; the bias is divided by it beforehand.
    /// nil is 1.
    public var scales: UnsafePointer<Float>?

    /// All values at once.
    public init(
        bias: UnsafePointer<Float>, hiddenCandidateBias: UnsafePointer<Float>, scales: UnsafePointer<Float>?
    ) {
        self.bias = bias
        self.hiddenCandidateBias = hiddenCandidateBias
        self.scales = scales
    }
}

/// One forward time step of a recurrent layer and direction.
///
/// Units are padded with zeros to whole lanes, in the gates as in c, whose unit u of row n is at
/// `cell[n·gates.gateStride + u]`. On exit, if `savesGates`, the gates hold what the backward step needs:
/// LSTM i f g o; GRU r z n and, as fourth gate, the hidden product of n; RNN nothing.
public struct RecurrentForwardArguments {
    /// What is computed.
    public var step: RecurrentStep
    /// Input rows of this step; empty if there is an `inputProduct`.
    public var input: ChainOperand
    /// Wᵀ, packed.
    public var inputPanels: PackedPanels
    /// Rows of the previous h; empty at a first step from zero.
    public var hidden: ChainOperand
    /// Uᵀ, packed.
    public var hiddenPanels: PackedPanels
    /// Biases and scales.
    public var constants: GateConstants
    /// The input product and its bias, perhaps where the gates will be; nil if it is to be made.
    public var inputProduct: InputProduct?
    /// Gates of this step; see above.
    public var gates: GateRows
    /// Whether the gates are left as the backward step needs them.
    public var savesGates: Bool
    /// LSTM: c before the step; may be the memory of `cell`.
    public var previousCell: UnsafePointer<Float>
    /// LSTM: c after the step.
    public var cell: UnsafeMutablePointer<Float>
    /// GRU: previous h of these units; nil for zero.
    public var previousHidden: StridedRows?
    /// h.
    public var output: MutableStridedRows

    /// All values at once.
    public init(
        step: RecurrentStep, input: ChainOperand, inputPanels: PackedPanels, hidden: ChainOperand,
        hiddenPanels: PackedPanels, constants: GateConstants, inputProduct: InputProduct?, gates: GateRows,
        savesGates: Bool, previousCell: UnsafePointer<Float>, cell: UnsafeMutablePointer<Float>,
        previousHidden: StridedRows?, output: MutableStridedRows
    ) {
        self.step = step
        self.input = input
        self.inputPanels = inputPanels
        self.hidden = hidden
        self.hiddenPanels = hiddenPanels
        self.constants = constants
        self.inputProduct = inputProduct
        self.gates = gates
        self.savesGates = savesGates
        self.previousCell = previousCell
        self.cell = cell
        self.previousHidden = previousHidden
        self.output = output
    }
}

/// One backward time step: dh = dy + carry + dz₊₁·U, then the gate derivatives, which replace the saved gates.
///
/// Gradients of the pre-activations end in the gates: LSTM 4 gates; GRU dr, dz, dn and, as fourth, dn⊙r
/// (the hidden side of n); RNN one. Rows of c and of the carries are `gates.gateStride` apart.
public struct RecurrentBackwardArguments {
    /// What is computed.
    public var step: RecurrentStep
    /// Pre-activation gradients of the following step; empty at the last step.
    public var following: ChainOperand
    /// GRU: the hidden side of n of the following step, continuing the chain.
    public var followingCandidate: ChainOperand
    /// U: columns are hidden units, rows are gates. Of a projected layer V: rows are its outputs.
    public var hiddenPanels: PackedPanels
    /// Gradient of the output at this step; nil is zero.
    public var outputGradient: StridedRows?
    /// Gradient of h carried past the product (final state's gradient; GRU: dh⊙z), rows of padded units, read
    /// and, for GRU, written.
    public var hiddenCarry: UnsafeMutablePointer<Float>
    /// Whether `hiddenCarry` holds something on entry; else it counts as zero.
    public var readsHiddenCarry: Bool
    /// LSTM: gradient of c, rows of padded units, read and written.
    public var cellCarry: UnsafeMutablePointer<Float>
    /// Gates of this step; see above.
    public var gates: GateRows
    /// LSTM: c before the step.
    public var previousCell: UnsafePointer<Float>
    /// LSTM: c after the step.
    public var cell: UnsafePointer<Float>
    /// GRU: previous h, nil for zero. RNN: h of this step.
    public var hidden: StridedRows?

    /// All values at once.
    public init(
        step: RecurrentStep, following: ChainOperand, followingCandidate: ChainOperand, hiddenPanels: PackedPanels,
        outputGradient: StridedRows?, hiddenCarry: UnsafeMutablePointer<Float>, readsHiddenCarry: Bool,
        cellCarry: UnsafeMutablePointer<Float>, gates: GateRows, previousCell: UnsafePointer<Float>,
        cell: UnsafePointer<Float>, hidden: StridedRows?
    ) {
        self.step = step
        self.following = following
        self.followingCandidate = followingCandidate
        self.hiddenPanels = hiddenPanels
        self.outputGradient = outputGradient
        self.hiddenCarry = hiddenCarry
        self.readsHiddenCarry = readsHiddenCarry
        self.cellCarry = cellCarry
        self.gates = gates
        self.previousCell = previousCell
        self.cell = cell
        self.hidden = hidden
    }
}
