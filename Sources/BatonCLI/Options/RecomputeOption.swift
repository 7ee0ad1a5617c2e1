import ArgumentParser
import Baton

/// `--recompute`: activations are computed again instead of kept. No part of a run's configuration, because it decides no
/// numbers.
struct RecomputeOption: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Compute gates again instead of keeping them, in layers that then need less memory.",
            discussion: """
                Changes no bits. Pays for long windows: the gates of all steps give way to those of a chunk and to one \
                weight gradient per leaf of the rank. The price is about a second forward pass of the recurrent layers.
                """))
    var recompute = false
    @Option(help: "Steps of a chunk, in all layers; turns --recompute on (default: by memory, at least √steps).")
    var recomputeChunk: Int?

    func validate() throws { try FlagCheck.counts(["--recompute-chunk": recomputeChunk]) }

    /// What was asked for; nil keeps the gates.
    var recomputation: Recomputation? { recomputeChunk.map { .chunks(of: $0) } ?? (recompute ? .automatic : nil) }
}
