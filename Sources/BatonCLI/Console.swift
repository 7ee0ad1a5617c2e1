import Baton
import Glibc
import Synchronization

/// The standard streams, as the program uses them: of all ranks of a job only rank 0 prints.
enum Console {
    /// This process' rank as the launcher says it; 0 outside a job.
    static let rank = LaunchEnvironment.ownRank

    /// Columns of the terminal that standard output goes to; nil when it goes elsewhere.
    ///
    /// mpirun gives rank 0 a terminal of its own whatever becomes of the output, so in a job only `launch/run` knows;
    /// it says so in `BATON_TERMINAL_COLUMNS`.
    static var terminalColumns: Int? {
        if (try? LaunchEnvironment()) != nil {
            return LaunchEnvironment.processVariable("BATON_TERMINAL_COLUMNS").flatMap { Int($0) }
        }
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Puts text on standard output, from rank 0 only, and without adding a line break.
    static func write(_ text: String) {
        write(Array(text.utf8))
    }

    /// Puts bytes on standard output, from rank 0 only.
    static func write(_ bytes: [UInt8]) {
        if rank == 0 { put(bytes, on: STDOUT_FILENO) }
    }

    /// Puts a line on standard output, from rank 0 only.
    static func print(_ line: String) { write(line + "\n") }

    /// Puts a line on standard error, from the calling rank.
    static func complain(_ line: String) { put(Array((line + "\n").utf8), on: STDERR_FILENO) }

    /// Why standard output took no more, as a number of errno; 0 if it took everything.
    private static let outputError = Mutex<Int32>(0)

    /// Opens what the process was started without, so that no file gets the number of a standard stream, and with it
    /// the lines meant for that. Who closes a stream wants none of it: that is no failure.
    static func openStreams() {
        while true {
            let descriptor = open("/dev/null", O_RDWR)
            guard 0...STDERR_FILENO ~= descriptor else {
                close(descriptor)
                return
            }
        }
    }

    /// Lets a file that grows past the limit of the shell (`ulimit -f`) be an error of the write, which is reported,
    /// instead of a signal that ends the process without a word.
    static func reportLargeFiles() { signal(SIGXFSZ, SIG_IGN) }

    /// Refuses to call done what standard output did not take whole.
    static func check() throws(CommandFailure) {
        let error = outputError.withLock { $0 }
        guard error == 0 else {
            throw CommandFailure(
                "Standard output took no more: \(String(cString: strerror(error))); make room and run the command again."
            )
        }
    }

    /// What standard error does not take, nobody can be told.
    private static func put(_ bytes: [UInt8], on descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EAGAIN {
                // Somebody else has made the terminal one that does not wait.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if written < 0 && errno != EINTR {
                let error = errno
                if descriptor == STDOUT_FILENO { outputError.withLock { $0 = error } }
                return
            }
            rest = rest.dropFirst(max(written, 0))
        }
    }
}
