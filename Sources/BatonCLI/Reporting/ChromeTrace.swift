import Baton
import Foundation

/// A trace in the form that Chrome (`chrome://tracing`) and Perfetto (ui.perfetto.dev) show: a JSON array of complete
/// events (`"ph":"X"`), a process for every rank and a thread for every track.
///
/// Source: "Trace Event Format", the Chromium project. Times are microseconds with three decimals, so they are exact.
struct ChromeTrace {
    private let trace: RunTrace

    init(_ trace: RunTrace) { self.trace = trace }

    /// Writes the file, whole or not at all.
    func write(to path: String) throws { try AtomicFile.write(text, to: path) }

    /// Whether there is no such file, or one that is empty or begins as these do.
    static func mayReplace(_ path: String) throws -> Bool {
        guard FileIdentity(path) != nil else { return true }
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        let begin = try file.read(upToCount: opening.utf8.count) ?? Data()
        return begin.isEmpty || begin == Data(opening.utf8)
    }
    private static let opening = "[\n{\"name\":\"process_name\""

    /// The JSON text, an event in every line.
    var text: String {
        var lines: [String] = []
        for (rank, part) in trace.ranks.enumerated() {
            lines.append(
                metadata("process_name", rank, 0, "\"name\":\"\(Self.title(rank, part.place, trace.layout))\""))
            lines.append(metadata("process_sort_index", rank, 0, "\"sort_index\":\(rank)"))
            for track in TraceEvent.Track.allCases {
                lines.append(metadata("thread_name", rank, track.rawValue, "\"name\":\"\(Self.title(track))\""))
                lines.append(metadata("thread_sort_index", rank, track.rawValue, "\"sort_index\":\(track.rawValue)"))
            }
        }
        let first = trace.ranks.flatMap { $0.events.map(\.start) }.min() ?? 0
        for (rank, part) in trace.ranks.enumerated() {
            for event in part.events.sorted(by: { ($0.start, $0.track.rawValue) < ($1.start, $1.track.rawValue) }) {
                lines.append(
                    "{\"name\":\"\(event.name)\",\"cat\":\"\(event.track)\",\"ph\":\"X\",\"pid\":\(rank),\"tid\":\(event.track.rawValue),\"ts\":\(microseconds(event.start - first)),\"dur\":\(microseconds(event.end - event.start)),\"args\":{\"step\":\(event.step)}}"
                )
            }
        }
        return "[\n" + lines.joined(separator: ",\n") + "\n]\n"
    }

    /// `rank 2 (dp 0, pp 1)`; axes the layout does not divide are left out.
    static func title(_ rank: Int, _ place: ParallelLayout.Place, _ layout: ParallelLayout) -> String {
        let axes = [
            ("dp", layout.replicas, place.replica), ("pp", layout.stages, place.stage),
            ("dir", layout.directions, place.direction), ("shard", layout.shards, place.shard),
        ]
        let named = axes.filter { $0.1 > 1 }.map { "\($0.0) \($0.2)" }
        return named.isEmpty ? "rank \(rank)" : "rank \(rank) (\(named.joined(separator: ", ")))"
    }

    private static func title(_ track: TraceEvent.Track) -> String {
        switch track {
        case .step: "step"
        case .compute: "compute"
        case .wait: "wait"
        case .messages: "exchange: messages to stages"
        case .sums: "exchange: sums of gradients"
        case .output: "output layer of all stages"
        }
    }

    private func metadata(_ name: String, _ rank: Int, _ thread: Int, _ arguments: String) -> String {
        "{\"name\":\"\(name)\",\"ph\":\"M\",\"pid\":\(rank),\"tid\":\(thread),\"args\":{\(arguments)}}"
    }

    private func microseconds(_ nanoseconds: Int64) -> String {
        let rest = String(nanoseconds % 1000)
        return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
