/// The two logs of a run, which rank 0 writes.
final class RunLogs {
    let metrics: MetricsFile
    let validation: ValidationFile

    /// - Parameter resumedStep: the step after which both go on; nil starts them anew.
    init(_ directory: RunDirectory, resumedStep: Int?) throws {
        metrics = try MetricsFile(path: directory.metrics, resumedStep: resumedStep)
        validation = try ValidationFile(path: directory.validation, resumedStep: resumedStep)
    }
}
