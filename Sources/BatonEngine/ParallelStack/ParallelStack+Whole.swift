import BatonComm
import BatonNN
public import BatonTensor

/// From arrays of the whole batch and stack to those of a share, and back to the first rank.
extension ParallelStack {
    /// The share's rows of (T, N, ·), shared if these are all.
    public func rows(of whole: Tensor) -> Tensor {
        share.rows == 0..<whole.shape[1] ? whole : whole.block(share.rows, axis: 1)
    }

    /// The share's slots and rows of (L·D, N, ·).
    public func entries(of whole: Tensor) -> Tensor {
        let part = Tensor(
            uninitialized: [share.slots.count, share.rows.count, whole.shape[2]], dtype: whole.dtype)
        for (place, slot) in share.slots.enumerated() {
            part[leading: place..<place + 1].copyBlock(
                from: whole[leading: slot..<slot + 1], axis: 1, sourceStart: share.rows.lowerBound, targetStart: 0,
                count: share.rows.count)
        }
        return part
    }

    /// The outputs of all replicas, (T, N, D·R), on rank 0 of the world; nil elsewhere. Collective over all ranks.
    ///
    /// - Parameter output: Of this rank, if it belongs to the last stage.
    /// - Throws: `CommError` of the transport.
    public func collect(output: Tensor?, steps: Int) throws -> Tensor? {
        try collect(
            rows: output, stage: grid.layout.stages - 1, steps: steps,
            width: stack.directionCount * stack.outputSize)
    }

    /// The gradients of the inputs of all replicas, (T, N, C), on rank 0 of the world; nil elsewhere. Collective over all
    /// ranks.
    ///
    /// - Parameter inputGradient: Of this rank, if it belongs to the first stage.
    /// - Throws: `CommError` of the transport.
    public func collect(inputGradient: Tensor?, steps: Int) throws -> Tensor? {
        try collect(
            rows: inputGradient, stage: 0, steps: steps, width: stack.directions[0].inputWeight.shape[1])
    }

    /// States, or their gradients, of all ranks: (L·D, N, ·) each, on rank 0 of the world; empty elsewhere. Collective
    /// over all ranks.
    ///
    /// - Throws: `CommError` of the transport.
    public func collect(states: [Tensor]) throws -> [Tensor] {
        var wholes: [Tensor] = []
        for (kind, width) in stack.stateWidths.enumerated() {
            let whole = Tensor(
                uninitialized: [stack.directions.count, batchSize, width], dtype: stack.dtype)
            for (rank, part) in try shares() where grid.layout.place(ofRank: rank).shard == 0 {
                let shape = [part.slots.count, part.rows.count, width]
                guard let piece = try collect(rank == grid.world.rank ? states[kind] : nil, shape, from: rank) else {
                    continue
                }
                for (place, slot) in part.slots.enumerated() {
                    whole[leading: slot..<slot + 1].copyBlock(
                        from: piece[leading: place..<place + 1], axis: 1, sourceStart: 0,
                        targetStart: part.rows.lowerBound, count: part.rows.count)
                }
            }
            if grid.world.rank == 0 { wholes.append(whole) }
        }
        return wholes
    }

    /// The gradients of all parameters after `backward`, in the order of the stack's directions and their parameters, on
    /// rank 0 of the world; empty elsewhere. Collective over all ranks.
    ///
    /// - Throws: `CommError` of the transport.
    public func collectParameterGradients() throws -> [Tensor] {
        var wholes = [Tensor?](repeating: nil, count: stack.directions.count * stack.directions[0].parameters.count)
        for (rank, part) in try shares() {
            let place = grid.layout.place(ofRank: rank)
            guard place.replica == 0, place.shard == 0 else { continue }
            for slot in part.slots {
                for (index, parameter) in stack.directions[slot].parameters.enumerated() {
                    let own = rank == grid.world.rank ? parameter.gradients.first : nil
                    wholes[slot * stack.directions[slot].parameters.count + index] = try collect(
                        own, parameter.shape, from: rank)
                }
            }
        }
        return wholes.compactMap { $0 }
    }

    /// Every rank with its share.
    private func shares() throws(EngineError) -> [(rank: Int, share: StackShare)] {
        var all: [(rank: Int, share: StackShare)] = []
        for rank in 0..<grid.layout.rankCount {
            let place = grid.layout.place(ofRank: rank)
            all.append(
                (
                    rank,
                    try StackShare(stack, grid.layout, place: place, batchSize: batchSize, leafCount: sums.leafCount)
                ))
        }
        return all
    }

    /// Rows of all replicas that one stage has; of two directions, the forward one gives them.
    private func collect(rows: Tensor?, stage: Int, steps: Int, width: Int) throws -> Tensor? {
        let whole = Tensor(uninitialized: [steps, batchSize, width], dtype: stack.dtype)
        for (rank, part) in try shares() {
            let place = grid.layout.place(ofRank: rank)
            guard place.stage == stage, place.direction == 0, place.shard == 0 else { continue }
            let own = rank == grid.world.rank ? rows : nil
            guard let piece = try collect(own, [steps, part.rows.count, width], from: rank) else { continue }
            whole.copyBlock(
                from: piece, axis: 1, sourceStart: 0, targetStart: part.rows.lowerBound, count: part.rows.count)
        }
        return grid.world.rank == 0 ? whole : nil
    }

    /// A tensor of one rank on rank 0; nil elsewhere.
    private func collect(_ own: Tensor?, _ shape: [Int], from rank: Int) throws(CommError) -> Tensor? {
        let world = grid.world
        if rank == 0 { return world.rank == 0 ? own : nil }
        if world.rank == rank, let own {
            for part in Self.messages(own.bytes) {
                try world.immediateSend(UnsafeRawBufferPointer(part), to: 0, tag: Self.collectionTag)
                    .wait(limit: world.waitLimit)
            }
        }
        guard world.rank == 0 else { return nil }
        let piece = Tensor(uninitialized: shape, dtype: stack.dtype)
        for part in Self.messages(piece.bytes) {
            try world.immediateReceive(into: part, from: rank, tag: Self.collectionTag).wait(limit: world.waitLimit)
        }
        return piece
    }

    /// Bytes in parts that a message can hold.
    private static func messages(_ bytes: UnsafeMutableRawBufferPointer) -> [UnsafeMutableRawBufferPointer] {
        stride(from: 0, to: bytes.count, by: MessageTag.byteLimit).map { start in
            UnsafeMutableRawBufferPointer(
                rebasing: bytes[start..<min(start + MessageTag.byteLimit, bytes.count)])
        }
    }

    /// Stage transfers and exchanges of directions may use the world as their group, from tag 0 upwards.
    private static let collectionTag = MessageTag.userRange.upperBound - 2
}
