import Glibc
import Synchronization

/// A signal that asks this process to end as soon as it has kept its work.
///
/// mpirun passes SIGUSR1 on to its ranks and does no more. SIGTERM and SIGINT make it end the job: its ranks get SIGTERM,
/// and a second later SIGKILL.
enum StopSignal {
    /// SIGINT is Ctrl-C, SIGHUP the end of a terminal, SIGXCPU the end of a queue's time.
    static let all = [SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGXCPU]

    /// The first that came, and above its eight bits when, in milliseconds; 0 before.
    private static let first = Atomic<Int>(0)

    /// From now on these signals are noted, and that nobody reads standard output any more (SIGPIPE). Another one, half a
    /// second or more after the first, ends the process as it would without this: who sends it does not want to wait.
    static func watch() {
        // A handler must not be the first to use these.
        first.store(0, ordering: .relaxed)
        for signal in all + [SIGPIPE] where signal != SIGHUP || !isIgnored(signal) {
            handle(signal) { StopSignal.note($0) }
        }
    }

    /// Lets Ctrl-\ end the process, as it ends others: the Swift runtime takes it for a crash, reports one, and goes on.
    static func letQuit() {
        if !isIgnored(SIGQUIT) { signal(SIGQUIT, SIG_DFL) }
    }

    /// As `nohup` has it.
    static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        sigaction(signal, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// The signal that asked to stop; nil if none did.
    static var received: Int32? {
        let signal = first.load(ordering: .relaxed) & 0xFF
        return signal == 0 ? nil : Int32(signal)
    }

    /// Calls a function when a signal comes, which only does what a handler may do; system calls go on after it.
    static func handle(_ signal: Int32, with handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_RESTART
        sigaction(signal, &action, nil)
    }

    private static func note(_ signal: Int32) {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = time.tv_sec &* 1000 &+ time.tv_nsec / 1_000_000
        let (isFirst, known) = first.compareExchange(
            expected: 0, desired: now << 8 | Int(signal), ordering: .relaxed)
        if !isFirst && signal != SIGPIPE && now &- known >> 8 >= 500 {
            Glibc.signal(signal, SIG_DFL)
            raise(signal)
        }
    }
}

/// Number and name of a signal, as in 15 (Terminated).
func signalText(_ signal: Int32) -> String { "\(signal) (\(String(cString: strsignal(signal))))" }
