extension PipelineSchedule {
    /// The schedule as a table, rank × tick, at unit costs: one line for every rank, one column for every unit of time.
    ///
    ///     rank 0 | F0.0 F0.1    .    . B0.1 B0.0   W0    =
    ///     rank 1 |    . F0.0 F0.1 B0.1 B0.0   W0    =    .
    ///
    /// `=` goes on with the action to the left, `.` waits.
    ///
    /// - Throws: `ScheduleError` if the schedule does not come to an end.
    public func grid() throws(ScheduleError) -> String {
        let outcome = try ScheduleSimulator().run(self)
        let ticks = Int(outcome.makespan.rounded(.up))
        var rows: [[String]] = []
        for (list, times) in zip(ranks, outcome.times) {
            var cells = [String](repeating: ".", count: ticks)
            for (action, time) in zip(list, times) {
                for tick in Int(time.lowerBound)..<Int(time.upperBound) {
                    cells[tick] = tick == Int(time.lowerBound) ? action.label : "="
                }
            }
            rows.append(cells)
        }
        let width = rows.joined().map(\.count).max() ?? 1
        let nameWidth = String(max(0, ranks.count - 1)).count
        func padded(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        return rows.enumerated().map { rank, cells in
            "rank \(padded(String(rank), nameWidth)) | " + cells.map { padded($0, width) }.joined(separator: " ")
        }.joined(separator: "\n")
    }
}
