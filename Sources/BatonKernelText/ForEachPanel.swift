import BatonKernelABI

/// Calls `body` for groups of at most `together` of the balanced panels of at most `limit` strips, with the first strip, the
/// width that the panels of a group share, and their number, from the first to the last or the other way round.
@inline(__always) func forEachPanel(
    strips: Int, limit: Int, together: Int = 1, descends: Bool,
    _ body: (_ strip: Int, _ vectors: Int, _ panels: Int) -> Void
) {
    let panels = BalancedParts(strips, limit: limit)
    var done = 0
    while done < panels.parts {
        let nearest = descends ? panels.parts &- 1 &- done : done
        // Panels as wide as this one, from here on.
        let alike =
            nearest < panels.largerParts
            ? (descends ? nearest &+ 1 : panels.largerParts &- nearest)
            : (descends ? nearest &- panels.largerParts &+ 1 : panels.parts &- nearest)
        let count = smaller(together, alike)
        let first = descends ? nearest &- count &+ 1 : nearest
        body(first &* panels.smaller &+ smaller(first, panels.largerParts), panels.size(first), count)
        done &+= count
    }
}
