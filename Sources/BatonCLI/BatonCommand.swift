import ArgumentParser
import Baton

@main
struct BatonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "baton", abstract: "Recurrent sequence models on any number of ranks.")
}
