import BatonComm

/// What a trace says in a few numbers: how much of their time ranks wait, and for what.
public struct TraceFigures: Sendable, Hashable {
    /// Seconds of one rank, or of all, by what they went into.
    public struct Shares: Sendable, Hashable {
        /// Whole steps.
        public var total = 0.0
        /// Working on them; the meetings of ranks that divide hidden units are part of it.
        public var compute = 0.0
        /// Waiting for other stages of the pipeline: for messages, and at the end of a step for its loss and norm.
        public var bubble = 0.0
        /// Waiting for sums over replicas.
        public var exposed = 0.0

        /// Nothing yet.
        public init() {}

        /// Waiting for other stages, of the whole.
        public var bubbleShare: Double { total > 0 ? bubble / total : 0 }
        /// Waiting for sums over replicas, of the whole.
        public var exposedShare: Double { total > 0 ? exposed / total : 0 }
        /// Work, of the whole.
        public var computeShare: Double { total > 0 ? compute / total : 0 }

        static func += (left: inout Shares, right: Shares) {
            left.total += right.total
            left.compute += right.compute
            left.bubble += right.bubble
            left.exposed += right.exposed
        }
    }

    /// In rank order.
    public var ranks: [Shares]
    /// Of all ranks together.
    public var all: Shares

    /// Sums the events of a trace.
    public init(_ trace: RunTrace) {
        ranks = trace.ranks.map { rank in
            var shares = Shares()
            for event in rank.events {
                switch event.track {
                case .step: shares.total += event.seconds
                case .compute: shares.compute += event.seconds
                case .wait:
                    if Self.isForSums(event.activity, hasStages: trace.layout.stages > 1) {
                        shares.exposed += event.seconds
                    } else {
                        shares.bubble += event.seconds
                    }
                case .messages, .sums, .output: break
                }
            }
            // Who runs the output layer instead of waiting works.
            let waits = rank.events.filter { $0.track == .wait }
            for output in rank.events where output.track == .output {
                let inWaits = waits.reduce(0.0) { sum, wait in
                    sum + Double(max(0, min(wait.end, output.end) - max(wait.start, output.start))) * 1e-9
                }
                shares.bubble -= inWaits
                shares.compute += inWaits
            }
            return shares
        }
        all = ranks.reduce(into: Shares()) { $0 += $1 }
    }

    /// Ranks that come to the loss or the norm early wait for the slowest stage, if there are stages.
    private static func isForSums(_ activity: TraceEvent.Activity, hasStages: Bool) -> Bool {
        switch activity {
        case .action: true
        case .arrival: false
        case .phase(.gradients): true
        case .phase(.sends): false
        case .phase: !hasStages
        }
    }
}
