import Baton
import Foundation
import Synchronization

/// A process that stays behind the rank it has become the parent of, and says how it ended if a signal ended it.
///
/// A process that the kernel ends, for want of memory for instance, cannot say so itself, and `launch/run` asks mpirun to
/// be quiet because of its pages about ranks that have said what was wrong. A mpirun that is not quiet names the rank
/// and the signal by itself; there, and outside a job, nobody stays behind.
///
/// It passes on what asks the rank to stop, which mpirun sends to the one it knows.
enum RankWitness {
    /// The process that does the work.
    private static let workingProcess = Atomic<Int32>(0)
    /// The address of what a rank says that loses its witness.
    private static let farewell = Atomic<Int>(0)
    /// Whether that was asked to stop.
    private static let hasPassedOn = Atomic<Bool>(false)

    /// Returns in the process that is to do the work. The one that stays behind leaves as that one does.
    static func stayBehindIfNeeded() {
        guard let launch = try? LaunchEnvironment(), launch.size > 1,
            LaunchEnvironment.processVariable("OMPI_MCA_orte_execute_quiet") == "1"
        else { return }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        let worker = fork()
        // Without a witness the work can be done all the same.
        guard worker > 0 else {
            close(ends[1])
            if worker == 0 { endWithWriter(of: ends[0], rank: launch.rank) }
            return
        }
        close(ends[0])
        // A handler must not be the first to use these.
        hasPassedOn.store(false, ordering: .relaxed)
        workingProcess.store(worker, ordering: .relaxed)
        setProcessName("baton witness")
        for signal in StopSignal.all + [SIGQUIT, SIGUSR2] where !StopSignal.isIgnored(signal) {
            StopSignal.handle(signal) { RankWitness.passOn($0) }
        }
        var status: Int32 = 0
        while waitpid(worker, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7f
        guard signal != 0 else { exit((status >> 8) & 0xff) }
        // Who asked it to stop knows why it has ended.
        if hasPassedOn.load(ordering: .relaxed) { exit(128 + signal) }
        Console.complain("baton: \(sentence(signal, rank: launch.rank, arguments: CommandLine.arguments))")
        exit(128 + signal)
    }

    /// What `ps` and `pgrep` show.
    private static func setProcessName(_ name: String) {
        let descriptor = open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = write(descriptor, name, name.utf8.count)
        close(descriptor)
    }

    private static func passOn(_ signal: Int32) {
        hasPassedOn.store(true, ordering: .relaxed)
        kill(workingProcess.load(ordering: .relaxed), signal)
    }

    /// Ends this process when the one that holds the other end of a pipe has ended: mpirun, which knows only that one,
    /// would leave this one behind. Says so, unless a signal has asked it to stop: a job ends that way too.
    ///
    /// A thread that calls the C library only. One of Foundation's asks the Swift runtime for its name, at the same moment
    /// as the main thread starts to use it, and the two were seen to wait for each other for ever.
    private static func endWithWriter(of end: Int32, rank: Int) {
        let arguments = CommandLine.arguments
        let words = strdup(
            "baton: rank \(rank) ended because the process that launched it was killed; start the job again"
                + "\(remedy(arguments))\n")
        farewell.store(Int(bitPattern: words), ordering: .relaxed)
        // The thread must not be the first to ask.
        _ = StopSignal.received
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { end in
                var byte: UInt8 = 0
                while read(Int32(Int(bitPattern: end)), &byte, 1) < 0 && errno == EINTR {}
                if StopSignal.received == nil,
                    let words = UnsafePointer<CChar>(bitPattern: RankWitness.farewell.load(ordering: .relaxed))
                {
                    _ = write(STDERR_FILENO, words, strlen(words))
                }
                kill(getpid(), SIGKILL)
                return nil
            }, UnsafeMutableRawPointer(bitPattern: Int(end)))
        pthread_detach(thread)
    }

    /// What happened, what may have been the reason, and what to do.
    static func sentence(_ signal: Int32, rank: Int, arguments: [String]) -> String {
        let reason =
            switch signal {
            case SIGKILL: "as the kernel does when memory runs out; use less memory or more machines"
            case SIGBUS: "as the kernel does when /dev/shm or a disk is full; make room there"
            case SIGTERM, SIGINT, SIGHUP, SIGXCPU, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM:
                "from outside; start the job again"
            default: "which is a defect of the program; please report it"
            }
        return "rank \(rank) was ended by signal \(signalText(signal)), \(reason)\(remedy(arguments))"
    }

    /// The end of a sentence that asks to start again.
    private static func remedy(_ arguments: [String]) -> String {
        arguments.dropFirst().first == "train"
            ? ", and train --resume goes on from the run's newest checkpoint." : "."
    }
}
