/// The two logs of a run, which rank 0 writes.
final class RunLogs {
    let metrics: MetricsFile
    let validation: ValidationFile
    private let directory: RunDirectory
    private let place: FileIdentity?

    /// - Parameter resumedStep: the step after which both go on; nil starts them anew.
    init(_ directory: RunDirectory, resumedStep: Int?) throws {
        metrics = try MetricsFile(path: directory.metrics, resumedStep: resumedStep)
        validation = try ValidationFile(path: directory.validation, resumedStep: resumedStep)
        self.directory = directory
        place = FileIdentity(directory.path)
    }

    /// Refuses to go on in a directory that was moved or removed meanwhile: the logs would be lost, and another training
    /// might be at work under its name.
    func checkPlace() throws(CommandFailure) {
        guard metrics.isInPlace, validation.isInPlace, FileIdentity(directory.path) == place else {
            throw CommandFailure(
                "The directory \(directory.path) or a log in it was moved, removed or replaced while the training was at work in it; train --resume goes on from the newest checkpoint where it is now."
            )
        }
    }
}
