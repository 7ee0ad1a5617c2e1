import ArgumentParser

/// `baton inspect FILE`: names, types, shapes and sizes of what a tensor file holds.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows what a safetensors, .params, .npy or symbol JSON file holds.",
        discussion:
            "A name that ends in .npy is read as a NumPy array, one that ends in .json as a graph of MXNet; of other files the first bytes tell whether they are MXNet's .params or safetensors."
    )

    @Argument(help: "The file.") var file: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        if file.hasSuffix(".json") {
            try Console.print(SymbolGraphReport(path: file), json: json)
        } else {
            try Console.print(TensorFileReport(path: file), json: json)
        }
    }
}
