import ArgumentParser

/// `baton info`: what this machine offers and what baton uses of it.
struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Shows processor, instruction set, BLAS core and MPI library in use.")

    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        try Console.print(MachineReport(), json: json)
    }
}
