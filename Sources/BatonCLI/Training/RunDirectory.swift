import Baton
import FoundationEssentials

/// The files of one training run.
struct RunDirectory {
    let path: String

    var checkpoints: CheckpointDirectory { CheckpointDirectory(path: path + "/checkpoints") }
    var metrics: String { path + "/metrics.csv" }
    var validation: String { path + "/validation.csv" }
    var plot: String { path + "/loss.svg" }
    var configuration: String { path + "/config.json" }
    var samples: String { path + "/samples.txt" }

    /// Whether a run has left checkpoints or metrics here.
    var holdsRun: Bool { !checkpoints.files().isEmpty || FileManager.default.fileExists(atPath: metrics) }

    /// Makes the directory.
    func create() throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("The directory \(path) cannot be made; choose another --out.")
        }
    }

    /// The newest whole checkpoint of a run, or the checkpoint a path names.
    ///
    /// - Parameter damaged: called with a sentence for every newer file that cannot be used.
    static func checkpoint(at path: String, damaged: (String) -> Void) throws -> Checkpoint {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw CommandFailure("There is no run \(path); name the directory that train's --out named.")
        }
        guard isDirectory else { return try Checkpoint(readingFrom: path) }
        return try RunDirectory(path: path).checkpoints.newest(damaged: damaged).checkpoint
    }

    /// Draws the loss curve from the two logs.
    func draw(title: String, unit: String) throws {
        try LossPlot(
            title: title, unit: unit,
            training: MetricsFile.rows(path: metrics).map { PlotPoint(x: Double($0.step), y: $0.loss) },
            validation: ValidationFile.rows(path: validation).map { PlotPoint(x: Double($0.step), y: $0.loss) }
        ).write(to: plot)
    }
}
