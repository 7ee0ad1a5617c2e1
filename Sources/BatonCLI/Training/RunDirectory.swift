import Baton
import FoundationEssentials
import Glibc

/// The files of one training run.
struct RunDirectory {
    let path: String

    var checkpoints: CheckpointDirectory { CheckpointDirectory(path: path + "/checkpoints") }
    var metrics: String { path + "/metrics.csv" }
    var validation: String { path + "/validation.csv" }
    var plot: String { path + "/loss.svg" }
    var configuration: String { path + "/config.json" }
    var samples: String { path + "/samples.txt" }
    /// All that training writes here, beside the checkpoints.
    private var files: [String] { [metrics, validation, plot, configuration, samples] }

    /// Whether a run has left checkpoints or metrics here.
    var holdsRun: Bool { !checkpoints.files().isEmpty || FileManager.default.fileExists(atPath: metrics) }

    /// Whether a path is that of a file that training writes here, or lies among the checkpoints.
    func isOwn(_ file: String) -> Bool {
        let given = URL(filePath: file).standardized
        return files.contains { URL(filePath: $0).standardized.path == given.path }
            || given.deletingLastPathComponent().path == URL(filePath: checkpoints.path).standardized.path
    }

    /// Whether a file is to be in this directory, and this directory is yet to be made.
    ///
    /// - Throws: `CommandFailure` when the file bears the directory's own name.
    func willHold(_ file: String) throws(CommandFailure) -> Bool {
        guard !FileManager.default.fileExists(atPath: path) else { return false }
        let (own, other) = (URL(filePath: path).standardized.path, URL(filePath: file).standardized)
        guard other.path != own else {
            throw CommandFailure("\(file) is the directory of the run, --out; name a file in it, or elsewhere.")
        }
        return !file.hasSuffix("/") && other.deletingLastPathComponent().path == own
    }

    /// Makes the directory.
    func create() throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            // The first directory on the way that is not there says why.
            var missing = URL(filePath: path).standardized
            var parent = missing.deletingLastPathComponent()
            while parent.path != missing.path, access(parent.path, F_OK) != 0, errno == ENOENT {
                (missing, parent) = (parent, parent.deletingLastPathComponent())
            }
            let reason =
                mkdir(missing.path, 0o777) == 0 ? "the disk or its rights changed" : String(cString: strerror(errno))
            throw CommandFailure("The directory \(path) cannot be made: \(reason); choose another --out.")
        }
    }

    /// Keeps other trainings out of the directory until this process ends: two would write over each other's logs and
    /// remove each other's checkpoints. Where the file system has no locks, nobody is kept out.
    ///
    /// The lock of a process that has ended is free at once; what is waited for is the end itself. Ranks whose mpirun was
    /// killed, as by the end of a terminal, notice it after a second and a bit, and a resumed run started by then would
    /// be refused for nothing.
    ///
    /// - Throws: `CommandFailure` when another training holds the directory and does not leave it within six seconds.
    func hold() throws(CommandFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        let deadline = ContinuousClock.now + .seconds(6)
        // Never closed: the lock ends with the process, however it ends.
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
            guard ContinuousClock.now < deadline else {
                close(descriptor)
                throw CommandFailure(
                    "Another training is at work in \(path); wait for its end, or choose another --out.")
            }
            usleep(50_000)
        }
    }

    /// The newest whole checkpoint of a run, or the checkpoint a path names.
    ///
    /// - Parameter damaged: called with a sentence for every newer file that cannot be used.
    /// - Returns: the file, and what is in it.
    static func checkpoint(
        at path: String, damaged: (String) -> Void
    ) throws -> (file: String, checkpoint: Checkpoint) {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw CommandFailure("There is no run \(path); name the directory that train's --out named.")
        }
        guard isDirectory else { return (path, try Checkpoint(readingFrom: path)) }
        return try RunDirectory(path: path).checkpoints.newest(damaged: damaged)
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
