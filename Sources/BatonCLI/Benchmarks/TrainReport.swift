import Baton
import BatonChecks

/// What `bench train` prints.
struct TrainReport: CommandReport {
    var processor: String
    var isa: String
    var kernels: String
    var blasCore: String
    var ranks: Int
    /// Of coupled ranks.
    var layout: String
    /// Of a pipeline, by name, and its micro-batches × chunks; nil without one.
    var schedule: String?
    var cuts: String?
    /// Of a pipeline, where its output layer runs: `last` or `spread`; nil without one.
    var outputLayer: String?
    /// How the trained layers get their gates in the backward pass; nil where they keep them.
    var recomputation: String?
    var workload: TrainWorkload
    var parameters: Int
    /// Lanes of the rank with the fewest and of the one with the most: they differ where the leaves of the batch do
    /// not divide evenly.
    var lanes: ClosedRange<Int>
    /// Mean over the ranks, measured while all are busy.
    var peakGFlopsPerRank: Double
    /// The figures of each way the ranks trained: together, apart, or both in turn.
    var figures: [TrainFigures]
    /// Of a coupled step, by the planner; nil unless a layout was asked for.
    var predictedStepMilliseconds: Double?
    /// Of the rank that needs the most, by the planner; nil unless a layout was asked for.
    var predictedMegabytes: Double?
    /// Most resident memory of every rank, in rank order; nil if models were trained both ways.
    var peakMegabytes: [Double]?
    /// Where the time of some coupled steps went; nil unless asked for.
    var trace: TraceReport?
    /// Nil unless ranks were measured both ways.
    var compared: TrainComparison?

    /// - Parameter figures: coupled before independent, when there are both.
    init(
        workload: TrainWorkload, ranks: Int, trainer: LanguageModelTrainer, schedule kind: ScheduleKind,
        lanes: ClosedRange<Int>, peakPerRank: Double, figures: [TrainFigures]
    ) {
        processor = CPUFeatures.current.brand
        isa = KernelSelection.active.instructionSet.rawValue
        kernels = KernelSelection.active.backend.rawValue
        blasCore = OpenBLASCore.current
        self.ranks = ranks
        self.workload = workload
        parameters = Int(trainer.configuration.model.parameterCount)
        layout = trainer.grid.layout.description
        schedule = trainer.schedule.map { _ in kind.rawValue }
        cuts = trainer.schedule.map { "\($0.shape.microBatches)×\($0.shape.chunks)" }
        if trainer.schedule != nil { outputLayer = trainer.output == .spread ? "spread" : "last" }
        recomputation = trainer.model.recurrent.recomputation.map { "\($0)" }
        self.lanes = lanes
        self.figures = figures
        peakGFlopsPerRank = peakPerRank * 1e-9
    }

    private var pipelineText: String {
        guard let schedule, let cuts else { return "" }
        return " (\(schedule), micro-batches × chunks \(cuts))"
    }

    /// Tables for a person.
    var text: String {
        let model = workload.model
        let laneText =
            lanes.count == 1 ? counted(lanes.lowerBound, "lane") : "\(lanes.lowerBound) to \(lanes.upperBound) lanes"
        var lines = [
            "\(processor), \(isa), \(kernels) kernels; OpenBLAS core \(blasCore)",
            "\(model.cell.rawValue) \(model.layers)×\(model.hidden), embedding \(model.embedding), vocabulary \(model.vocabularySize), dropout \(model.dropout), \(parameters) parameters",
            "\(counted(ranks, "rank")), \(layout)\(pipelineText)\(recomputation.map { ", recomputing (\($0))" } ?? ""), of \(laneText) × \(counted(workload.stepsPerWindow, "step")); FMA peak \(fixed(peakGFlopsPerRank, digits: 1)) GF/s per rank with all busy",
            "",
        ]
        let rates = AlignedColumns(widths: [11, 10, 10, 8, 7, 9, 8, 6])
        lines.append(
            rates.line(["ranks", "tokens/s", "per rank", "GF/s", "of peak", "median ms", "best ms", "steps"]))
        for row in figures {
            lines.append(
                rates.line([
                    row.ranks, fixed(row.tokensPerSecond, digits: 0), fixed(row.tokensPerSecondPerRank, digits: 0),
                    fixed(row.gflops, digits: 1), fixed(row.shareOfPeak * 100, digits: 0) + "%",
                    fixed(row.medianStepMilliseconds, digits: 2), fixed(row.bestStepMilliseconds, digits: 2),
                    "\(row.steps)",
                ]))
        }
        let names = figures.first?.stepMilliseconds.parts.map(\.name) ?? []
        let parts = AlignedColumns(widths: [11] + names.map { _ in 9 })
        lines += ["", parts.line(["mean ms"] + names)]
        for row in figures {
            lines.append(
                parts.line([row.ranks] + row.stepMilliseconds.parts.map { fixed($0.milliseconds, digits: 2) }))
        }
        if let compared {
            lines += [
                "",
                "coupled / independent, median of \(compared.turns) turns: \(fixed(compared.efficiency, digits: 3)) (of the slowest rank \(fixed(compared.efficiencyOfSlowest, digits: 3)))",
            ]
        }
        if let predicted = predictedStepMilliseconds, let measured = figures.first?.medianStepMilliseconds {
            lines += [
                "",
                "\(layout): predicted \(fixed(predicted, digits: 2)) ms per step, measured \(fixed(measured, digits: 2)) (predicted / measured \(fixed(predicted / measured, digits: 3)))",
            ]
        }
        if let peakMegabytes {
            let predicted = predictedMegabytes.map { "; predicted \(fixed($0, digits: 0)) MB" } ?? ""
            lines += ["", PeakMemory.text(peakMegabytes) + predicted]
        }
        if let trace { lines += ["", trace.text] }
        return lines.joined(separator: "\n")
    }
}

/// Ranks that train together beside ranks that train apart, measured in turns.
struct TrainComparison: Encodable {
    /// Number of turns, of which medians are taken.
    var turns: Int
    /// Tokens per second of coupled ranks over those of independent ones.
    var efficiency: Double
    /// The same if all independent ranks were as slow as the slowest of them: coupled ranks wait for each other, so
    /// where cores differ for a while they cannot do more.
    var efficiencyOfSlowest: Double

    /// - Parameter rates: by turn, coupled and independent: tokens per second of every rank.
    init(_ rates: [[[Double]]]) {
        turns = rates.count
        efficiency = median(rates.map { $0[0].reduce(0, +) / $0[1].reduce(0, +) })
        efficiencyOfSlowest = median(
            rates.map { $0[0].reduce(0, +) / (Double($0[1].count) * ($0[1].min() ?? .infinity)) })
    }
}
