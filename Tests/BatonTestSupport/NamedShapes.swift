/// Sizes of one recurrent layer, with a name that says what they stress.
public struct NamedShape: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    /// T, N, C, H
    public let steps: Int
    public let batch: Int
    public let inputSize: Int
    public let hidden: Int

    public init(_ name: String, steps: Int, batch: Int, inputSize: Int, hidden: Int) {
        self.name = name
        self.steps = steps
        self.batch = batch
        self.inputSize = inputSize
        self.hidden = hidden
    }

    public var description: String { "\(name) (T\(steps) N\(batch) C\(inputSize) H\(hidden))" }
}

/// The shapes every recurrent kernel has to get right.
public enum NamedShapes {
    /// Layer sizes around every edge of tiles and lanes.
    public static let recurrent: [NamedShape] = [
        NamedShape("uniform", steps: 8, batch: 8, inputSize: 32, hidden: 32),
        NamedShape("all ones", steps: 1, batch: 1, inputSize: 1, hidden: 1),
        NamedShape("one step", steps: 1, batch: 4, inputSize: 16, hidden: 16),
        NamedShape("one row", steps: 7, batch: 1, inputSize: 20, hidden: 24),
        NamedShape("less than a lane", steps: 5, batch: 3, inputSize: 3, hidden: 5),
        NamedShape("one above a lane", steps: 4, batch: 6, inputSize: 17, hidden: 17),
        NamedShape("one above two lanes", steps: 4, batch: 7, inputSize: 31, hidden: 33),
        NamedShape("wide tail", steps: 3, batch: 12, inputSize: 64, hidden: 100),
        NamedShape("wide input", steps: 4, batch: 5, inputSize: 130, hidden: 12),
        NamedShape("narrow input", steps: 4, batch: 10, inputSize: 2, hidden: 48),
        NamedShape("row tail", steps: 3, batch: 33, inputSize: 24, hidden: 40),
        NamedShape("long", steps: 40, batch: 2, inputSize: 8, hidden: 16),
    ]

    /// (rows, width, units) of fully connected layers.
    public static let linear: [(rows: Int, width: Int, units: Int)] = [
        (1, 1, 1), (8, 32, 48), (5, 17, 3), (33, 40, 65), (3, 130, 7), (12, 5, 100),
    ]
}
