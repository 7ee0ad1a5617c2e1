import BatonChecks
import BatonComm
import BatonKernelABI
import BatonNN
public import BatonTensor

/// What a backward pass carries besides its windows.
struct BackwardWalk {
    /// Of the input, by window; empty outside a pass.
    var inputGradients: [Tensor] = []
    var states: StateGradients?
}

extension ParallelStack {
    /// Walks the window of the last recorded `forward` back; once. Collective over all ranks.
    ///
    /// The gradients are those of Σ y·dy + Σ hn·dhn + Σ cn·dcn. Those of the parameters replace what was there: the
    /// first of a parameter's `gradients` holds the sum over the whole batch on every rank that holds the parameter.
    ///
    /// - Parameters:
    ///   - output: dy, (T, n, D·R), on ranks of the last stage; ignored elsewhere.
    ///   - final: dhn, or dhn and dcn, of this rank's slots; nil is zero.
    /// - Returns: The gradient of the input, (T, n, C), on ranks of the first stage, nil elsewhere; those of the initial
    ///   states.
    /// - Throws: `CommError` of the transport.
    /// - Precondition: there is such a window.
    public func backward(
        _ output: Tensor?, states final: [Tensor?] = []
    ) throws -> (input: Tensor?, states: [Tensor]) {
        guard let arena, !windows.isEmpty else {
            fatalError("ParallelStack.backward: no forward pass that records gradients came before")
        }
        defer {
            windows = []
            walk = BackwardWalk()
        }
        arena.beginStep()
        let initial = beginState()
        walk = BackwardWalk(
            inputGradients: windows.map { $0.makeInputGradient() },
            states: StateGradients(final: final, initial: initial))
        if isLast {
            require(
                output.map { $0.rank == 3 && $0.shape[1] == share.rows.count } ?? false,
                "ParallelStack.backward: the last stage needs the gradient of its output")
            for (window, part) in zip(windows, sums.shares) {
                guard let output else { break }
                window.outputGradient().copyBlock(
                    from: output, axis: 1, sourceStart: part.lanes.lowerBound - share.rows.lowerBound, targetStart: 0,
                    count: part.lanes.count)
            }
        }
        let schedule = PipelineSchedule(
            shape: shape,
            ranks: (0..<shape.stages).map { stage in
                (0..<shape.microBatches).reversed().flatMap { part in
                    (0..<shape.chunks).reversed().map {
                        ScheduleAction(.backward, stage: stage, microBatch: part, chunk: $0)
                    } + [ScheduleAction(.weightGradient, stage: stage, microBatch: part)]
                }
            })
        _ = try ScheduleExecutor(schedule, rank: grid.place.stage).run(self, transfers)
        sums.combine(arena, elements: 0..<arena.count)
        if let gradientRows {
            let roots = sums.roots.map { arena.gradients[$0].pointer(of: Float.self) }
            for slot in arena.slots {
                try gradientRows.complete(slot.parameter, roots.map { $0 + slot.range.lowerBound })
            }
        }
        try sumOverReplicas?()
        // Added to zero, as gradients of a tape are, for the sign of a zero.
        let states = beginState()
        for (sum, gradient) in zip(states, initial) { sum.add(gradient) }
        return (isFirst ? joined(walk.inputGradients) : nil, states)
    }

    /// Moves this rank's parameters into memory of this object, before the first pass that records.
    func prepareGradients() throws {
        // Of the whole stack, so that no rank goes on alone.
        for parameter in stack.directions.flatMap(\.parameters) where parameter.gradientRequirement != .write {
            throw EngineError(
                "\(parameter.name) has the gradient requirement \(parameter.gradientRequirement.rawValue), and a ParallelStack sums the gradients of all parameters anew in every pass; use write."
            )
        }
        guard self.arena == nil else { return }
        let arena = ParameterArena(directions.flatMap(\.parameters).reversed(), subtreeCount: sums.gradientCount)
        gradientRows = try shard.map { try GradientRows($0, of: directions[...]) }
        if grid.layout.replicas > 1 {
            sumOverReplicas = tree(arena, arena.dtype.differentiable(for: "ParallelStack"))
        }
        self.arena = arena
    }

    private func tree<Scalar: DifferentiableScalar>(
        _ arena: ParameterArena, _: Scalar.Type
    ) -> () throws(CommError) -> Void {
        GradientTree<Scalar>(
            sums.roots.map { arena.gradients[$0] }, buckets: GradientBuckets(arena).ranges, leafCount: sums.leafCount,
            communicator: grid.replicaGroup
        ).sum
    }
}

extension ParallelStack: StageWork {
    func perform(_ action: ScheduleAction, hook: StepHook) throws {
        let window = windows[action.microBatch]
        switch action.kind {
        case .forward: try window.forward(steps: steps(of: action), hook: hook)
        case .backward:
            arena?.select(gradients: sums.gradients[action.microBatch])
            try window.backwardData(
                steps: steps(of: action), inputGradient: walk.inputGradients[action.microBatch], states: walk.states,
                hook: hook)
        case .weightGradient:
            arena?.select(gradients: sums.gradients[action.microBatch])
            try window.backwardWeights(hook: hook)
            arena?.select(gradients: nil)
        case .gradientSum, .output: break
        }
    }

    func landing(for action: ScheduleAction) -> UnsafeMutableRawBufferPointer {
        let window = windows[action.microBatch]
        let whole = action.kind == .forward ? window.input : window.outputGradient()
        return whole[leading: steps(of: action)].bytes
    }

    func result(of action: ScheduleAction) -> UnsafeRawBufferPointer {
        let whole =
            action.kind == .forward ? windows[action.microBatch].output : walk.inputGradients[action.microBatch]
        return UnsafeRawBufferPointer(whole[leading: steps(of: action)].bytes)
    }

    private func steps(of action: ScheduleAction) -> Range<Int> {
        shape.steps(ofChunk: action.chunk, of: windows[action.microBatch].input.shape[0])
    }
}
