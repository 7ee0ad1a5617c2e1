/// Text of a Scalable Vector Graphics picture, element by element.
///
/// Source: SVG 1.1. Coordinates are in pixels from the top left corner.
struct SVGDocument {
    private var lines: [String]

    /// An empty picture on white.
    init(width: Int, height: Int, title: String) {
        lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" width="\#(width)" height="\#(height)" "#
                + #"viewBox="0 0 \#(width) \#(height)" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">"#,
            "<title>\(SVGDocument.escaped(title))</title>",
            ##"<rect width="\##(width)" height="\##(height)" fill="#ffffff"/>"##,
        ]
    }

    /// The whole file.
    var text: String { (lines + ["</svg>", ""]).joined(separator: "\n") }

    /// Which point of a text lies at its coordinates.
    enum Anchor: String { case start, middle, end }

    mutating func line(from: PlotPoint, to: PlotPoint, color: String, width: Double = 1) {
        lines.append(
            #"<line x1="\#(number(from.x))" y1="\#(number(from.y))" x2="\#(number(to.x))" y2="\#(number(to.y))" "#
                + #"stroke="\#(color)" stroke-width="\#(number(width))"/>"#)
    }

    mutating func polyline(_ points: [PlotPoint], color: String, width: Double, opacity: Double = 1) {
        let coordinates = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        lines.append(
            #"<polyline points="\#(coordinates)" fill="none" stroke="\#(color)" stroke-width="\#(number(width))" "#
                + #"stroke-opacity="\#(number(opacity))" stroke-linejoin="round" stroke-linecap="round"/>"#)
    }

    mutating func circle(_ center: PlotPoint, radius: Double, color: String) {
        lines.append(
            #"<circle cx="\#(number(center.x))" cy="\#(number(center.y))" r="\#(number(radius))" fill="\#(color)" "#
                + ##"stroke="#ffffff" stroke-width="1.5"/>"##)
    }

    mutating func rectangle(from corner: PlotPoint, width: Double, height: Double, fill: String, opacity: Double) {
        lines.append(
            #"<rect x="\#(number(corner.x))" y="\#(number(corner.y))" width="\#(number(width))" "#
                + #"height="\#(number(height))" rx="4" fill="\#(fill)" fill-opacity="\#(number(opacity))"/>"#)
    }

    /// Text at a point; `turned` runs it upwards.
    mutating func text(
        _ content: String, at point: PlotPoint, size: Double, color: String, anchor: Anchor = .start,
        bold: Bool = false, turned: Bool = false
    ) {
        let turn = turned ? #" transform="rotate(-90 \#(number(point.x)) \#(number(point.y)))""# : ""
        let weight = bold ? #" font-weight="bold""# : ""
        lines.append(
            #"<text x="\#(number(point.x))" y="\#(number(point.y))" font-size="\#(number(size))" fill="\#(color)" "#
                + #"text-anchor="\#(anchor.rawValue)"\#(weight)\#(turn)>\#(SVGDocument.escaped(content))</text>"#)
    }

    /// At most two digits after the point, which is finer than a screen shows.
    private func number(_ value: Double) -> String {
        let text = fixed(value, digits: 2)
        guard let point = text.firstIndex(of: ".") else { return text }
        let fraction = text[point...].reversed().drop { $0 == "0" }.reversed()
        return String(text[..<point]) + (fraction.count > 1 ? String(fraction) : "")
    }

    /// Text with the characters replaced that mean something in XML; control characters, which XML forbids, are left
    /// out.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\u{0}"..<" ": continue
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
