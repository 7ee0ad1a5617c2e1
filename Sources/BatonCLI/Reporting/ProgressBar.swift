/// Tells a person how far a run is: one redrawn line on a terminal, a plain line now and then elsewhere.
///
/// Times are seconds on a monotonic clock, handed in by the caller, so that the bar can be tested without waiting.
struct ProgressBar {
    /// Where the lines go.
    enum Style: Equatable {
        /// A terminal of so many columns: the line is redrawn at most ten times a second.
        case terminal(columns: Int)
        /// A file or pipe: a line at every percent, but at most one in 5 s and at least one in 60 s.
        case plain
    }

    let label: String
    let total: Int
    let style: Style
    private let write: (String) -> Void

    private var step: Int
    private var loss = 0.0
    private var rate: ProgressRate
    private var lastDrawn = -Double.infinity
    private var lastDrawnStep: Int
    private var isDrawn = false

    /// A bar for the steps after `startStep` up to `total`; `write` puts text out without adding a line break.
    init(
        label: String, startStep: Int = 0, total: Int, style: Style, now: Double, write: @escaping (String) -> Void
    ) {
        self.label = label
        self.total = total
        self.style = style
        self.write = write
        step = startStep
        lastDrawnStep = startStep
        rate = ProgressRate(startStep: startStep, now: now)
    }

    /// Notes that a step is done, with its loss and its tokens.
    mutating func advance(to step: Int, loss: Double, tokens: Int, now: Double) {
        self.step = step
        self.loss = loss
        rate.advance(to: step, tokens: tokens, now: now)
        if isDue(now) { draw(now) }
    }

    /// Shows the last state and ends the line.
    mutating func finish(now: Double) {
        if style == .plain {
            if lastDrawnStep != step { draw(now) }
        } else {
            draw(now)
            write("\n")
        }
        isDrawn = false
    }

    private func isDue(_ now: Double) -> Bool {
        let waited = now - lastDrawn
        switch style {
        case .terminal: return waited >= 0.1
        case .plain:
            let percents = Double(step - lastDrawnStep) * 100 / Double(max(total, 1))
            return waited >= 60 || (waited >= 5 && percents >= 1)
        }
    }

    private mutating func draw(_ now: Double) {
        lastDrawn = now
        lastDrawnStep = step
        let figures =
            "\(step)/\(total)  loss \(fixed(loss, digits: 4))  \(rate.tokensText)  ETA \(rate.remainingText(to: total))"
        switch style {
        case .plain: write("\(label) \(figures)\n")
        case .terminal(let columns):
            let line = ProgressBar.line(label: label, figures: figures, done: step, total: total, columns: columns)
            write("\r\(line)\u{1B}[K")
            isDrawn = true
        }
    }

    /// The redrawn line: label, bar, figures; the bar takes the room that is left, and none if there is too little.
    static func line(label: String, figures: String, done: Int, total: Int, columns: Int) -> String {
        // One column stays free: writing into the last one makes some terminals wrap.
        let room = min(columns - 1 - label.count - figures.count - 3, 40)
        guard room >= 5 else { return String("\(label) \(figures)".prefix(max(columns - 1, 1))) }
        let filled = total > 0 ? min(room, room * done / total) : room
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: room - filled)
        return "\(label) \(bar)  \(figures)"
    }
}
