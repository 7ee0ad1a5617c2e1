import BatonChecks
internal import Glibc

/// The learning rate of every update of a `Trainer`, counted from 1. Source: Gluon `lr_scheduler` (MXNet 1.9.1).
public protocol LearningRateScheduler: Sendable {
    /// η of an update.
    func learningRate(update: Int) -> Double
}

/// The first updates of a schedule, at a lower rate.
public struct WarmUp: Sendable, Hashable {
    /// How the rate rises.
    public enum Mode: String, Sendable, CaseIterable { case linear, constant }

    /// Updates 0 ..< steps are warm-up.
    public let steps: Int
    /// Where it begins; `constant` stays there.
    public let beginRate: Double
    /// How the rate rises.
    public let mode: Mode

    /// No warm-up by default.
    ///
    /// - Precondition: steps ≥ 0.
    public init(steps: Int = 0, beginRate: Double = 0, mode: Mode = .linear) {
        require(steps >= 0, "WarmUp: expected steps ≥ 0, got \(steps)")
        self.steps = steps
        self.beginRate = beginRate
        self.mode = mode
    }

    /// The rate if the update is one of the warm-up's.
    func rate(update: Int, baseRate: Double) -> Double? {
        guard update < steps else { return nil }
        if mode == .constant { return beginRate }
        return beginRate + (baseRate - beginRate) * Double(update) / Double(steps)
    }

    func check(baseRate: Double, _ name: String) {
        require(beginRate <= baseRate, "\(name): the warm-up begins at \(beginRate), above the base rate \(baseRate)")
    }
}

/// The base rate times factor^k after every `step` updates, not below a limit: k = ⌊(update − 1)/step⌋.
/// Source: Gluon `FactorScheduler`.
public struct FactorScheduler: LearningRateScheduler {
    private let step: Int
    private let factor: Double
    private let stopRate: Double
    private let baseRate: Double
    private let warmUp: WarmUp

    /// - Parameters:
    ///   - step: updates between two changes.
    ///   - factor: of every change.
    ///   - stopRate: the limit.
    /// - Precondition: step ≥ 1, factor ≤ 1, a warm-up that begins at or below the base rate.
    public init(
        step: Int, factor: Double = 1, stopRate: Double = 1e-8, baseRate: Double = 0.01, warmUp: WarmUp = WarmUp()
    ) {
        require(
            step >= 1 && factor <= 1, "FactorScheduler: expected step ≥ 1 and factor ≤ 1, got \(step) and \(factor)")
        warmUp.check(baseRate: baseRate, "FactorScheduler")
        self.step = step
        self.factor = factor
        self.stopRate = stopRate
        self.baseRate = baseRate
        self.warmUp = warmUp
    }

    /// η of an update.
    public func learningRate(update: Int) -> Double {
        if let rate = warmUp.rate(update: update, baseRate: baseRate) { return rate }
        let changes = max(0, (update - 1) / step)
        return changes == 0 ? baseRate : max(stopRate, baseRate * pow(factor, Double(changes)))
    }
}

/// The base rate times factor^k, k the number of listed steps below the update. Source: Gluon `MultiFactorScheduler`.
public struct MultiFactorScheduler: LearningRateScheduler {
    private let steps: [Int]
    private let factor: Double
    private let baseRate: Double
    private let warmUp: WarmUp

    /// - Precondition: at least one step, steps rising from 1 or more; factor ≤ 1; a warm-up that begins at or below the
    ///   base rate.
    public init(steps: [Int], factor: Double = 1, baseRate: Double = 0.01, warmUp: WarmUp = WarmUp()) {
        require(
            !steps.isEmpty && steps[0] >= 1 && factor <= 1 && zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 },
            "MultiFactorScheduler: expected rising steps from 1 and factor ≤ 1, got \(steps) and \(factor)")
        warmUp.check(baseRate: baseRate, "MultiFactorScheduler")
        self.steps = steps
        self.factor = factor
        self.baseRate = baseRate
        self.warmUp = warmUp
    }

    /// η of an update.
    public func learningRate(update: Int) -> Double {
        if let rate = warmUp.rate(update: update, baseRate: baseRate) { return rate }
        return baseRate * pow(factor, Double(steps.count { $0 < update }))
    }
}

/// final + (base − final)·(1 − p)^power with p from 0 after the warm-up to 1 at `maxUpdate`, then constant.
/// Source: Gluon `PolyScheduler`.
public struct PolyScheduler: LearningRateScheduler {
    private let descent: Descent
    private let power: Double

    /// - Precondition: maxUpdate ≥ 1 and beyond the warm-up, which begins at or below the base rate.
    public init(
        maxUpdate: Int, baseRate: Double = 0.01, power: Double = 2, finalRate: Double = 0, warmUp: WarmUp = WarmUp()
    ) {
        descent = Descent("PolyScheduler", maxUpdate, from: baseRate, to: finalRate, warmUp)
        self.power = power
    }

    /// η of an update.
    public func learningRate(update: Int) -> Double { descent.rate(update: update) { pow(1 - $0, power) } }
}

/// final + (base − final)·(1 + cos πp)/2 with p from 0 after the warm-up to 1 at `maxUpdate`, then constant.
/// Source: Gluon `CosineScheduler`.
public struct CosineScheduler: LearningRateScheduler {
    private let descent: Descent

    /// - Precondition: maxUpdate ≥ 1 and beyond the warm-up, which begins at or below the base rate.
    public init(maxUpdate: Int, baseRate: Double = 0.01, finalRate: Double = 0, warmUp: WarmUp = WarmUp()) {
        descent = Descent("CosineScheduler", maxUpdate, from: baseRate, to: finalRate, warmUp)
    }

    /// η of an update.
    public func learningRate(update: Int) -> Double { descent.rate(update: update) { (1 + cos(.pi * $0)) / 2 } }
}

/// The way from a base rate to a final one, by a curve over the progress after the warm-up.
private struct Descent: Sendable {
    let maxUpdate: Int
    let baseRate: Double
    let finalRate: Double
    let warmUp: WarmUp

    init(_ name: String, _ maxUpdate: Int, from baseRate: Double, to finalRate: Double, _ warmUp: WarmUp) {
        require(
            maxUpdate >= 1 && maxUpdate > warmUp.steps,
            "\(name): expected maxUpdate beyond the warm-up of \(warmUp.steps), got \(maxUpdate)")
        warmUp.check(baseRate: baseRate, name)
        self.maxUpdate = maxUpdate
        self.baseRate = baseRate
        self.finalRate = finalRate
        self.warmUp = warmUp
    }

    /// - Parameter curve: from 1 at progress 0 to 0 at progress 1.
    func rate(update: Int, _ curve: (Double) -> Double) -> Double {
        if let rate = warmUp.rate(update: update, baseRate: baseRate) { return rate }
        let progress = Double(min(update, maxUpdate) - warmUp.steps) / Double(maxUpdate - warmUp.steps)
        return finalRate + (baseRate - finalRate) * curve(progress)
    }
}
