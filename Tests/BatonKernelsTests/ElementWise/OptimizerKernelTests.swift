import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Testing

/// The optimisers' passes of every instruction set this machine has, against the plain f64 loops.
@Suite struct OptimizerKernelTests {
    /// Parameters, gradients and three states of `count` elements each, one after the other, and a guard behind them.
    private struct Memory<Scalar> {
        var base: UnsafeMutablePointer<Scalar>
        var count: Int

        var parameter: UnsafeMutablePointer<Scalar> { base }
        var gradient: UnsafePointer<Scalar> { UnsafePointer(base + count) }
        func state(_ number: Int) -> UnsafeMutablePointer<Scalar> { base + (2 + number) * count }
    }

    private static let guardCount = 20

    /// Runs both on the same numbers: the parameters, gradients and states in [−2, 2), the first state at least 9, so that
    /// no variance is below 3. Some ten roundings follow each other.
    private func compare(
        _ count: Int, sourceLocation: SourceLocation = #_sourceLocation, _ kernel: (Memory<Float>) -> Void,
        _ reference: (Memory<Double>) -> Void
    ) {
        var random = SeededRandom(seed: UInt64(count + 1))
        var narrow = random.array(5 * count, scale: 2).map { Float($0) }
        for index in 2 * count..<3 * count { narrow[index] = 9 + abs(narrow[index]) }
        narrow += [Float](repeating: 77, count: Self.guardCount)
        var wide = narrow.map { Double($0) }
        narrow.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { kernel(Memory(base: base, count: count)) }
        }
        wide.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { reference(Memory(base: base, count: count)) }
        }
        #expect(narrow.suffix(Self.guardCount).allSatisfy { $0 == 77 }, sourceLocation: sourceLocation)
        let tolerance = Tolerance.relative(epsilon: Double(Float.ulpOfOne), depth: 10)
        let problem = Tolerance.violation("memory", narrow.map { Double($0) }, wide, tolerance: tolerance)
        #expect(problem == nil, sourceLocation: sourceLocation)
    }

    /// No bound, and one that some elements pass.
    private static let bounds = [Double.infinity, 0.4]

    @Test(arguments: InstructionSet.available, ElementWiseKernelTests.counts)
    func descentWithMomentumMatches(_ set: InstructionSet, _ count: Int) {
        func arguments<Scalar>(
            _ memory: Memory<Scalar>, hasMomentum: Bool, keepsSteps: Bool, bound: Double
        ) -> MomentumUpdateArguments<Scalar> {
            MomentumUpdateArguments(
                parameter: memory.parameter, gradient: memory.gradient, momentum: hasMomentum ? memory.state(0) : nil,
                count: count, gradientScale: 0.5, gradientBound: bound, weightDecay: 0.01, decay: hasMomentum ? 0.9 : 0,
                gradientFactor: keepsSteps ? -0.1 : 1, stepFactor: keepsSteps ? 1 : -0.1)
        }
        for (hasMomentum, keepsSteps) in [(false, false), (true, false), (false, true), (true, true)] {
            for bound in Self.bounds {
                compare(count) {
                    set.table.elementWise.momentumUpdate(
                        arguments($0, hasMomentum: hasMomentum, keepsSteps: keepsSteps, bound: bound))
                } _: {
                    Double.momentumUpdate(
                        arguments($0, hasMomentum: hasMomentum, keepsSteps: keepsSteps, bound: bound))
                }
            }
        }
    }

    @Test(arguments: InstructionSet.available, ElementWiseKernelTests.counts)
    func adamMatches(_ set: InstructionSet, _ count: Int) {
        func arguments<Scalar>(_ memory: Memory<Scalar>, bound: Double) -> AdamUpdateArguments<Scalar> {
            AdamUpdateArguments(
                parameter: memory.parameter, gradient: memory.gradient, firstMoment: memory.state(1),
                secondMoment: memory.state(0), count: count, gradientScale: 0.5, gradientDecay: 0.01,
                gradientBound: bound, parameterFactor: 0.99, beta1: 0.9, beta2: 0.999, stepSize: 0.02, correction: 0.3,
                epsilon: 1e-8)
        }
        for bound in Self.bounds {
            compare(count) {
                set.table.elementWise.adamUpdate(arguments($0, bound: bound))
            } _: {
                Double.adamUpdate(arguments($0, bound: bound))
            }
        }
    }

    @Test(arguments: InstructionSet.available, ElementWiseKernelTests.counts)
    func rmsPropMatches(_ set: InstructionSet, _ count: Int) {
        func arguments<Scalar>(
            _ memory: Memory<Scalar>, isCentred: Bool, bound: Double
        ) -> RMSPropUpdateArguments<Scalar> {
            RMSPropUpdateArguments(
                parameter: memory.parameter, gradient: memory.gradient, square: memory.state(0),
                centre: isCentred ? (mean: memory.state(1), delta: memory.state(2)) : nil, count: count,
                gradientScale: 0.5, gradientDecay: 0.01, gradientBound: bound, parameterBound: 2 * bound, gamma1: 0.8,
                gamma2: 0.7, learningRate: 0.05, epsilon: 1e-2)
        }
        for isCentred in [false, true] {
            for bound in Self.bounds {
                compare(count) {
                    set.table.elementWise.rmsPropUpdate(arguments($0, isCentred: isCentred, bound: bound))
                } _: {
                    Double.rmsPropUpdate(arguments($0, isCentred: isCentred, bound: bound))
                }
            }
        }
    }

    /// A gradient that is not a number is not hidden by a bound.
    @Test(arguments: InstructionSet.available) func notANumberStays(_ set: InstructionSet) {
        var (w, state) = ([Float](repeating: 1, count: 9), [Float](repeating: 1, count: 9))
        let g = [Float](repeating: .nan, count: 9)
        w.withUnsafeMutableBufferPointer { w in
            state.withUnsafeMutableBufferPointer { state in
                g.withUnsafeBufferPointer { g in
                    guard let w = w.baseAddress, let g = g.baseAddress else { return }
                    set.table.elementWise.momentumUpdate(
                        MomentumUpdateArguments(
                            parameter: w, gradient: g, momentum: state.baseAddress, count: 9, gradientScale: 1,
                            gradientBound: 0.5, weightDecay: 0, decay: 0.9, gradientFactor: 1, stepFactor: -1))
                }
            }
        }
        #expect(w.allSatisfy(\.isNaN) && state.allSatisfy(\.isNaN))
    }
}
