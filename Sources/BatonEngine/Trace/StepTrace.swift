/// Records what one rank does in some steps.
///
/// All memory is taken at the start, and an event costs one or two readings of the clock that the step's own times take
/// anyway. A trace that is full drops events and counts them.
final class StepTrace {
    /// The moment from which this rank counts.
    let origin: ContinuousClock.Instant
    /// What has to be added to this rank's times to get those of rank 0, nanoseconds.
    let offset: Int64
    /// What has been recorded, in the order of the ends.
    private(set) var events: [TraceEvent] = []
    /// Events there was no room for.
    private(set) var dropped = 0
    private let capacity: Int
    private var stepsLeft: Int
    private var step = 0

    /// - Parameters:
    ///   - steps: Steps to record; later ones are not recorded.
    ///   - eventsPerStep: Room for each.
    ///   - clock: Of this rank, with the offset to rank 0.
    init(steps: Int, eventsPerStep: Int, clock: AlignedClock) {
        origin = clock.origin
        offset = clock.offset
        capacity = steps * eventsPerStep
        stepsLeft = steps
        events.reserveCapacity(capacity)
    }

    /// To be called at the start of a step; nil if it is not recorded.
    func begin(step: Int) -> StepTrace? {
        guard stepsLeft > 0 else { return nil }
        self.step = step
        return self
    }

    /// The step is over.
    func end(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) {
        record(.step, .phase(.step), from: start, to: end)
        stepsLeft -= 1
    }

    /// Adds an event.
    func record(
        _ track: TraceEvent.Track, _ activity: TraceEvent.Activity, from start: ContinuousClock.Instant,
        to end: ContinuousClock.Instant
    ) {
        guard events.count < capacity else {
            dropped += 1
            return
        }
        events.append(
            TraceEvent(track, activity, step: step, start: nanoseconds(start), end: nanoseconds(end)))
    }

    private func nanoseconds(_ instant: ContinuousClock.Instant) -> Int64 {
        AlignedClock.nanoseconds(from: origin, to: instant) + offset
    }
}

/// Notes from when to when at least one transfer is under way, as one event.
struct BusyInterval {
    private var start: ContinuousClock.Instant?

    /// To be called whenever the number of transfers may have changed.
    mutating func note(isBusy: Bool, _ track: TraceEvent.Track, _ phase: TraceEvent.Phase, in trace: StepTrace?) {
        guard let trace else {
            start = nil
            return
        }
        if isBusy {
            if start == nil { start = .now }
        } else if let begun = start {
            trace.record(track, .phase(phase), from: begun, to: .now)
            start = nil
        }
    }
}
