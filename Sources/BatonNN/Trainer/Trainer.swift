import BatonChecks
public import BatonTensor

/// Updates the parameters of a model from their gradients, with Gluon's formulas.
///
///     let trainer = Trainer(try model.collectParams(), AdamRule(), learningRate: 0.01)
///     tape.backward(loss(model(x, context), label, context))
///     try trainer.step(batchSize: 32)
///
/// Losses are sums over the batch, so `step` divides by the size of the whole batch, over all processes. With several
/// processes `combine` sums the gradients first. Parameters may still be of unknown shape when the trainer is made.
///
/// Source: Gluon `Trainer` (parity 1.10).
public final class Trainer {
    /// Those that are trained, in the order of their names.
    public let parameters: [Parameter]
    /// The gradients of those that have one, for clipping.
    ///
    /// - Precondition: shapes are known; with several processes `combineGradients` has summed them.
    public var gradients: [Tensor] {
        trained.map { parameter in
            require(
                combine == nil || !parameter.awaitsCombining,
                "Trainer.gradients: that of \(parameter.name) is this process's part; call combineGradients first")
            return parameter.gradient
        }
    }
    /// The optimiser.
    public let rule: any UpdateRule
    private var trained: [Parameter] { parameters.filter { $0.gradientRequirement != .null } }
    private let schedule: (any LearningRateScheduler)?
    private var constantRate: Double
    private let combine: (([Parameter]) throws -> Void)?
    /// Whether `combineGradients` was called since the last update.
    private var isCombined = false
    /// Whether `update` has refused since then.
    private var hasRefused = false
    /// States of every parameter that was updated, by its place in `parameters`.
    private var states: [Int: (tensors: [Tensor], updates: Int)] = [:]

    /// A trainer with a constant rate, nil for the rule's own; `setLearningRate` changes it.
    ///
    /// - Parameter combine: called with the parameters before every update, to sum their gradients over processes.
    public convenience init(
        _ parameters: ParameterDict, _ rule: any UpdateRule, learningRate: Double? = nil,
        combine: (([Parameter]) throws -> Void)? = nil
    ) {
        self.init(parameters, rule, rate: learningRate ?? rule.defaultLearningRate, schedule: nil, combine)
    }

    /// A trainer whose rate follows a schedule; `combine` as in the other initialiser.
    public convenience init(
        _ parameters: ParameterDict, _ rule: any UpdateRule, schedule: any LearningRateScheduler,
        combine: (([Parameter]) throws -> Void)? = nil
    ) {
        self.init(parameters, rule, rate: 0, schedule: schedule, combine)
    }

    private init(
        _ parameters: ParameterDict, _ rule: any UpdateRule, rate: Double, schedule: (any LearningRateScheduler)?,
        _ combine: (([Parameter]) throws -> Void)?
    ) {
        require(rate.isFinite, "Trainer: expected a learning rate that is a number, got \(rate)")
        self.parameters = parameters.parameters.sorted { $0.name < $1.name }
        self.rule = rule
        constantRate = rate
        self.schedule = schedule
        self.combine = combine
    }

    /// Updates done so far, that of the parameter with most of them.
    public var updateCount: Int { states.values.map(\.updates).max() ?? 0 }

    /// η of the next update by the trainer's own rate; a schedule's rate of the last one.
    public var learningRate: Double { schedule?.learningRate(update: updateCount) ?? constantRate }

    /// Changes a constant rate.
    ///
    /// - Throws: `NNError` if a schedule sets the rate.
    public func setLearningRate(_ rate: Double) throws(NNError) {
        guard schedule == nil else {
            throw NNError("A schedule sets the learning rate of this trainer; make a trainer with a constant rate.")
        }
        constantRate = rate
    }

    /// One update: sums the gradients over processes, unless `combineGradients` has, divides by the batch size, updates.
    ///
    /// - Parameters:
    ///   - batchSize: rows of the whole batch, over all processes.
    ///   - ignoreStaleGradients: passes over parameters that no backward pass has reached since the last update.
    /// - Throws: `NNError` naming a parameter without a fresh gradient; then nothing is updated, and the next call may come
    ///   at once, with stale gradients ignored, or after further backward passes, which are summed.
    /// - Collective: yes, if `combine` is.
    public func step(batchSize: Int, ignoreStaleGradients: Bool = false) throws {
        let late = trained.first(where: \.awaitsCombining)
        if !isCombined || hasRefused && late != nil {
            try combineGradients()
        } else if let late {
            // Processes may differ in what they see here, so none of them may begin a sum that others do not.
            fatalError(
                "Trainer.step: a backward pass reached \(late.name) after combineGradients; do all of a step before it")
        }
        try update(batchSize: batchSize, ignoreStaleGradients: ignoreStaleGradients)
    }

    /// Sums the gradients over processes; for clipping between this and `update` or `step`, which does not sum them again.
    /// Once after the backward passes of a step. Collective, if `combine` is.
    ///
    /// - Throws: what `combine` throws.
    public func combineGradients() throws {
        try combine?(trained)
        for parameter in trained { parameter.hasCombinedGradient = true }
        (isCombined, hasRefused) = (true, false)
    }

    /// The second half of `step`: updates the parameters from their gradients as they are. Not collective.
    ///
    /// - Parameter ignoreStaleGradients: whether parameters without a new gradient are left as they are.
    /// - Throws: `NNError` naming a parameter that no backward pass has met since the last update, unless those are
    ///   ignored.
    /// - Precondition: batchSize ≥ 1.
    public func update(batchSize: Int, ignoreStaleGradients: Bool = false) throws(NNError) {
        require(batchSize >= 1, "Trainer: expected batchSize ≥ 1, got \(batchSize)")
        let trained = parameters.enumerated().filter { $1.gradientRequirement != .null }
        if !ignoreStaleGradients, let stale = trained.first(where: { !$1.hasFreshGradient })?.element {
            hasRefused = true
            throw NNError(
                "The gradient of \(stale.name) has not been computed since the last update; run a backward pass that uses it, set its requirement to null, or ignore stale gradients."
            )
        }
        for (index, parameter) in trained where parameter.hasFreshGradient {
            var own = states[index] ?? (rule.stateNames.map { _ in Self.zeros(parameter) }, 0)
            require(
                own.tensors.allSatisfy { $0.dtype == parameter.dtype },
                "Trainer.update: \(parameter.name) was cast to \(parameter.dtype.rawValue) after updates; make a new trainer"
            )
            own.updates += 1
            states[index] = own
            let rate = schedule?.learningRate(update: max(updateCount, own.updates)) ?? constantRate
            rule.update(
                parameter.data, gradient: parameter.gradient, states: own.tensors,
                UpdateArguments(
                    learningRate: rate * parameter.learningRateMultiplier,
                    weightDecay: rule.weightDecay * parameter.weightDecayMultiplier,
                    rescale: 1 / Double(batchSize), clip: rule.clipGradient, update: own.updates))
            parameter.markChanged()
            parameter.hasFreshGradient = false
        }
        (isCombined, hasRefused) = (false, false)
    }

    private static func zeros(_ parameter: Parameter) -> Tensor {
        Tensor(zeros: parameter.shape, dtype: parameter.dtype)
    }

    /// States as named tensors for a file: `<parameter>/<state>` and the number of updates as `<parameter>/updates`, with full
    /// names. An automatic prefix counts the blocks of the process, so a model that is trained further has one of its own.
    public var stateTensors: [(name: String, values: Tensor)] {
        parameters.enumerated().flatMap { index, parameter -> [(name: String, values: Tensor)] in
            guard let own = states[index] else { return [] }
            return zip(rule.stateNames, own.tensors).map { ("\(parameter.name)/\($0)", $1.copy()) }
                + [("\(parameter.name)/updates", Tensor([Int64(own.updates)], shape: [1]))]
        }
    }

    /// Continues from `stateTensors`. Nothing is changed unless everything fits.
    ///
    /// - Throws: `NNError` for a state that is missing, unknown, or of another shape or type.
    public func load(stateTensors tensors: [(name: String, values: Tensor)]) throws(NNError) {
        var byName: [String: Tensor] = [:]
        for (name, values) in tensors { byName[name] = values }
        var loaded: [Int: (tensors: [Tensor], updates: Int)] = [:]
        for (index, parameter) in parameters.enumerated() {
            guard let updates = byName.removeValue(forKey: "\(parameter.name)/updates") else { continue }
            guard updates.dtype == .int64, updates.count == 1, updates.integers()[0] >= 0 else {
                throw NNError(
                    "\(parameter.name)/updates must be one non-negative int64, got \(updates.shape) \(updates.dtype.rawValue); load states as they were saved."
                )
            }
            var own: [Tensor] = []
            for name in rule.stateNames {
                guard let values = byName.removeValue(forKey: "\(parameter.name)/\(name)") else {
                    throw NNError(
                        "The state \(name) of \(parameter.name) is missing; load states of the same optimiser.")
                }
                guard values.shape == parameter.shape, values.dtype == parameter.dtype else {
                    throw NNError(
                        "The state \(name) of \(parameter.name) is \(values.shape) \(values.dtype.rawValue), expected \(parameter.shape) \(parameter.dtype.rawValue); load states of the same model."
                    )
                }
                own.append(values.copy())
            }
            loaded[index] = (own, updates.integers()[0])
        }
        if let unknown = byName.keys.min() {
            throw NNError("There is no parameter or state for \(unknown); load states of the same model and optimiser.")
        }
        states = loaded
    }
}
