import ArgumentParser
import Baton

/// `--output-layer`: where a pipeline runs the output layer. No part of a run's configuration, because it decides no
/// numbers.
struct OutputLayerOption: ParsableArguments {
    /// Places by their names on the command line.
    enum Name: String, ExpressibleByArgument, CaseIterable {
        case auto, last, spread
    }

    @Option(
        help: ArgumentHelp(
            "Which pipeline stages run the output layer: auto, last or spread.",
            discussion: """
                spread gives every stage the lanes of its part of the leaves; auto spreads if the slowest stage then has a \
                tenth less to do. Says nothing about layouts without pp.
                """))
    var outputLayer = Name.auto

    /// Refuses what a layout has no use for.
    func check(_ layout: ParallelLayout?) throws {
        if outputLayer != .auto && layout?.stages ?? 1 == 1 {
            throw ValidationError(
                "--output-layer \(outputLayer.rawValue) is about pipeline stages; give a --layout with pp of at least 2."
            )
        }
    }

    /// What was asked for; nil is auto.
    var placement: OutputPlacement? {
        switch outputLayer {
        case .auto: nil
        case .last: .lastStage
        case .spread: .spread
        }
    }
}
