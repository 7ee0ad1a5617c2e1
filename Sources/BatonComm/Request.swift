/// A transfer that has been started and borrows its caller's memory until it has finished.
///
/// Keep the request until `test` has returned true or `wait` has returned. A request dropped before that never
/// leaves a transport writing into memory that may be gone: see the communicator that made it.
public protocol Request: AnyObject {
    /// Moves the transfer on, without waiting.
    ///
    /// - Returns: true once the transfer has finished and the memory belongs to the caller again; from then on every
    ///   call returns true.
    /// - Throws: `CommError` if the transfer failed, also when a receive got another number of bytes than it asked for.
    func test() throws(CommError) -> Bool

    /// Who waits for what, for messages: "rank 0 waits for 4096 bytes from rank 1 (tag 7)".
    var purpose: String { get }

    /// How `wait` waits.
    var waitPolicy: WaitPolicy { get }
}

extension Request {
    /// Blocks until the transfer has finished.
    ///
    /// - Parameter limit: Longest time to wait. After a timeout the transfer is still under way and may be waited for
    ///   again.
    /// - Throws: `CommError` of kind `timeout` naming who waits for whom, or the error of the transfer.
    public func wait(limit: Duration) throws(CommError) {
        var waiting = waitPolicy.begin()
        while try !test() {
            if waiting.exceeds(limit) { throw .timeout(purpose, since: limit) }
        }
    }
}

/// Blocks until every transfer has finished, in any order.
///
/// - Throws: as `Request.wait`; a timeout names the first unfinished transfer.
public func waitAll(_ requests: [any Request], limit: Duration) throws(CommError) {
    guard let first = requests.first else { return }
    var waiting = first.waitPolicy.begin()
    for request in requests {
        while try !request.test() {
            if waiting.exceeds(limit) { throw .timeout(request.purpose, since: limit) }
        }
    }
}
