import Baton
import BatonChecks

/// What is printed of a trace.
struct TraceReport: Encodable {
    /// Of one rank, or of all.
    struct Row: Encodable {
        var rank: String
        var computeShare: Double
        var bubbleShare: Double
        var exposedCommunicationShare: Double

        init(_ rank: String, _ shares: TraceFigures.Shares) {
            self.rank = rank
            computeShare = shares.computeShare
            bubbleShare = shares.bubbleShare
            exposedCommunicationShare = shares.exposedShare
        }
    }

    var file: String
    var steps: Int
    /// Events there was no room for.
    var dropped: Int
    /// In rank order, then all together.
    var rows: [Row]

    init(_ trace: RunTrace, file: String) {
        let figures = TraceFigures(trace)
        self.file = file
        steps = Set(trace.ranks.flatMap { $0.events.map(\.step) }).count
        dropped = trace.ranks.reduce(0) { $0 + $1.dropped }
        rows = figures.ranks.enumerated().map { Row(ChromeTrace.title($0, trace.ranks[$0].place, trace.layout), $1) }
        rows.append(Row("all", figures.all))
    }

    /// A table for a person.
    var text: String {
        let names = rows.map(\.rank.count).max() ?? 5
        let table = AlignedColumns(widths: [max(5, names), 8, 8, 21])
        func percent(_ share: Double) -> String { fixed(share * 100, digits: 1) + "%" }
        var lines = [
            "trace of \(counted(steps, "step")): \(file) (open it in ui.perfetto.dev or chrome://tracing)",
            table.line(["", "compute", "bubble", "exposed communication"]),
        ]
        lines += rows.map {
            table.line([
                $0.rank, percent($0.computeShare), percent($0.bubbleShare), percent($0.exposedCommunicationShare),
            ])
        }
        if dropped > 0 { lines.append("\(dropped) events found no room and are missing from the trace") }
        return lines.joined(separator: "\n")
    }
}
