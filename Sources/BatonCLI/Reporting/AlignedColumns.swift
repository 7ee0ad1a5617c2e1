/// Lines of a table whose columns have fixed widths, so that a line can be printed before the next is known.
struct AlignedColumns {
    /// Characters of each column.
    let widths: [Int]

    /// Cells, the first aligned left and the others right, two blanks apart; a longer cell moves the rest.
    func line(_ cells: [String]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            let space = String(repeating: " ", count: max(0, widths[index] - cell.count))
            text += index == 0 ? cell + space : "  " + space + cell
        }
        return text
    }
}
