import BatonChecks

/// The collective operations, over point-to-point transfers. Every rank of the group must call them in the same
/// order; each waits at most `waitLimit` for any one message and throws a `CommError` naming the peer it waits for.
/// A peer that is in another operation, or passes another size, is an error too.
extension Communicator {
    /// Returns after every rank has entered. Collective.
    ///
    /// Dissemination: ⌈log₂ P⌉ rounds; in round k each rank sends to rank + 2ᵏ and hears from rank − 2ᵏ.
    /// Source: Hensgen, Finkel, Manber 1988, doi:10.1007/BF01379320; meaning as MPI 3.1 §5.3.
    ///
    /// - Throws: `CommError` of kind `timeout` naming the peer that did not come within `waitLimit`, or of the
    ///   transport.
    public func barrier() throws(CommError) {
        let tag = collectiveCount.nextTag(.barrier)
        try named(.barrier) { () throws(CommError) in
            var distance = 1
            while distance < size {
                let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
                let receive = try immediateReceive(into: nothing, from: (rank - distance + size) % size, tag: tag)
                let send = try immediateSend(
                    UnsafeRawBufferPointer(nothing), to: (rank + distance) % size, tag: tag)
                try waitAll([receive, send], limit: waitLimit)
                distance *= 2
            }
        }
    }

    /// Copies the root's bytes into every other rank's buffer. Collective.
    ///
    /// Binomial tree, in parts of at most 1 GiB. Meaning as MPI 3.1 §5.4.
    ///
    /// - Parameters:
    ///   - bytes: Of the same count on all ranks: source on the root, destination elsewhere.
    ///   - root: The rank that gives.
    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(CommError) {
        require(root >= 0 && root < size, "Communicator: root \(root) is not one of the \(size) ranks")
        let tag = collectiveCount.nextTag(.broadcast)
        try named(.broadcast) { () throws(CommError) in
            var start = 0
            repeat {
                let end = min(bytes.count, start + 1 << 30)
                try broadcastPart(UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]), from: root, tag: tag)
                start = end
            } while start < bytes.count
        }
    }

    private func broadcastPart(
        _ part: UnsafeMutableRawBufferPointer, from root: Int, tag: Int
    ) throws(CommError) {
        // Ranks counted from the root; number v hears from v with its lowest set bit cleared, and then feeds
        // v + 2ᵏ for every 2ᵏ below that bit, the farthest first.
        let number = (rank - root + size) % size
        var bit = 1
        while bit < size && number & bit == 0 { bit *= 2 }
        if number != 0 {
            let source = (number - bit + root) % size
            try immediateReceive(into: part, from: source, tag: tag).wait(limit: waitLimit)
        }
        var sends: [any Request] = []
        bit /= 2
        while bit > 0 {
            if number + bit < size {
                sends.append(
                    try immediateSend(UnsafeRawBufferPointer(part), to: (number + bit + root) % size, tag: tag))
            }
            bit /= 2
        }
        try waitAll(sends, limit: waitLimit)
    }

    /// Gives every rank the contributions of all, in rank order. Collective.
    ///
    /// Each rank sends to every other: made for few ranks and small contributions. Meaning as MPI 3.1 §5.7.
    ///
    /// - Parameters:
    ///   - contribution: Of the same count on all ranks.
    ///   - result: `size · contribution.count` bytes; rank r's part starts at `r · contribution.count`. Must not
    ///     overlap `contribution`.
    public func allGather(
        _ contribution: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer
    ) throws(CommError) {
        let count = contribution.count
        require(
            result.count == size * count,
            "Communicator: allGather of \(count) bytes on \(size) ranks needs \(size * count), got \(result.count)")
        let tag = collectiveCount.nextTag(.allGather)
        try named(.allGather) { () throws(CommError) in
            var requests: [any Request] = []
            requests.reserveCapacity(2 * size)
            for step in 1..<max(size, 1) {
                let source = (rank - step + size) % size
                let part = UnsafeMutableRawBufferPointer(rebasing: result[source * count..<(source + 1) * count])
                requests.append(try immediateReceive(into: part, from: source, tag: tag))
            }
            for step in 1..<max(size, 1) {
                requests.append(try immediateSend(contribution, to: (rank + step) % size, tag: tag))
            }
            UnsafeMutableRawBufferPointer(rebasing: result[rank * count..<(rank + 1) * count])
                .copyMemory(from: contribution)
            try waitAll(requests, limit: waitLimit)
        }
    }

    /// The numbers of every rank, in rank order. Collective.
    ///
    /// - Parameter values: As many on all ranks.
    /// - Throws: as the other `allGather`.
    public func allGather<Number: BitwiseCopyable>(_ values: [Number]) throws(CommError) -> [[Number]] {
        let stride = MemoryLayout<Number>.stride
        let own = UnsafeMutableRawBufferPointer.allocate(
            byteCount: values.count * stride, alignment: MemoryLayout<Number>.alignment)
        let all = UnsafeMutableRawBufferPointer.allocate(
            byteCount: size * own.count, alignment: MemoryLayout<Number>.alignment)
        defer {
            own.deallocate()
            all.deallocate()
        }
        _ = own.initializeMemory(as: Number.self, fromContentsOf: values)
        try allGather(UnsafeRawBufferPointer(own), into: all)
        let numbers = all.bindMemory(to: Number.self)
        return (0..<size).map { Array(numbers[$0 * values.count..<($0 + 1) * values.count]) }
    }

    /// A number of every rank, in rank order. Collective.
    ///
    /// - Throws: as the other `allGather`.
    public func allGather<Number: BitwiseCopyable>(_ value: Number) throws(CommError) -> [Number] {
        try allGather([value]).map { $0[0] }
    }

    /// Adds to an error which collective operation it happened in.
    private func named(_ operation: CollectiveOperation, _ body: () throws(CommError) -> Void) throws(CommError) {
        do {
            try body()
        } catch {
            throw CommError(
                error.kind,
                "\(operation.name) (collective operation \(collectiveCount.begun) of its group): \(error.message)",
                code: error.code)
        }
    }
}
