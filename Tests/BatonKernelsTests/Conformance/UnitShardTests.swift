import BatonKernelABI
import BatonTestSupport
import Testing

@testable import BatonKernels

/// Layers whose hidden units are divided: the bits of the whole, in all passes.
@Suite(.serialized) struct UnitShardTests {
    static let shapes = [
        NamedShape("uniform", steps: 5, batch: 16, inputSize: 32, hidden: 64),
        NamedShape("tails", steps: 6, batch: 13, inputSize: 21, hidden: 67),
        NamedShape("few rows", steps: 7, batch: 3, inputSize: 50, hidden: 40),
        NamedShape("one row", steps: 9, batch: 1, inputSize: 24, hidden: 200),
        NamedShape("fewer vectors than parts", steps: 3, batch: 14, inputSize: 5, hidden: 9),
        NamedShape("one step", steps: 1, batch: 1, inputSize: 7, hidden: 41),
    ]
    private static let packed = BackendKernels<Float>(backend: .packed)

    @Test(arguments: RecurrentKind.allCases, [2, 3, 4])
    func `parts of the units have the bits of the whole`(cell: RecurrentKind, parts: Int) {
        for shape in Self.shapes {
            for reverse in [false, true] {
                let layer = LayerCase<Float>(cell, shape, reverse: reverse)
                let whole = LayerRun(layer, on: Self.packed)
                for chunk in [shape.steps, 2] {
                    let name = "\(cell), \(shape), \(parts) parts, reverse \(reverse), chunks of \(chunk)"
                    expectBits(of: whole, in: ShardedRun(layer, parts: parts, chunk: chunk), name)
                }
            }
        }
    }

    /// A projection is divided like the units: all parts make o⊙tanh c, then all make h.
    @Test(arguments: [1, 7, 8, 21], [2, 3, 4])
    func `parts of a projected layer have the bits of the whole`(projection: Int, parts: Int) {
        for shape in Self.shapes {
            for clip in [nil, StateClip(lower: -0.1, upper: 0.2)] {
                let layer = LayerCase<Float>(
                    .lstm, shape, reverse: parts == 3, projection: projection, stateClip: clip)
                expectBits(
                    of: LayerRun(layer, on: Self.packed), in: ShardedRun(layer, parts: parts, chunk: 4),
                    "\(shape), projection \(projection), \(parts) parts")
                let inference = ShardedRun(layer, parts: parts, chunk: 3, training: false)
                let isSame = bits(inference.output) == bits(LayerRun(layer, on: Self.packed).output)
                #expect(isSame, "\(shape), inference")
            }
        }
    }

    /// Rows that end, or in a reverse direction begin, in the middle of the window.
    @Test(arguments: RecurrentKind.allCases, [2, 3, 4])
    func `parts of rows of unequal lengths have the bits of the whole`(cell: RecurrentKind, parts: Int) {
        for shape in Self.shapes {
            let lengths = (0..<shape.batch).map { ($0 * 5 + 3) % (shape.steps + 1) }
            for (reverse, projection) in [(false, nil), (true, nil), (true, 13)]
            where cell == .lstm || projection == nil {
                let layer = LayerCase<Float>(cell, shape, reverse: reverse, projection: projection)
                var options = LayerRun<BackendKernels<Float>>.Options()
                options.lengths = lengths
                let whole = LayerRun(layer, on: Self.packed, options)
                for chunk in [shape.steps, 2] {
                    expectBits(
                        of: whole, in: ShardedRun(layer, parts: parts, chunk: chunk, lengths: lengths),
                        "\(cell), \(shape), \(lengths), \(parts) parts, reverse \(reverse), chunks of \(chunk)")
                }
                let inference = ShardedRun(layer, parts: parts, chunk: 2, lengths: lengths, training: false)
                let isSame =
                    bits(inference.output) == bits(whole.output) && bits(inference.finalCell) == bits(whole.finalCell)
                #expect(isSame, "\(cell), \(shape), inference")
            }
        }
    }

    /// A part may be just large enough to make input products of several steps where another makes each with its step.
    @Test(arguments: [nil, 21], [false, true])
    func `parts that order their products differently have the bits of the whole`(
        projection: Int?, hasLengths: Bool
    ) {
        for shape in Self.shapes {
            let layer = LayerCase<Float>(.lstm, shape, projection: projection)
            var options = LayerRun<BackendKernels<Float>>.Options()
            if hasLengths { options.lengths = (0..<shape.batch).map { ($0 * 5 + 3) % (shape.steps + 1) } }
            let whole = LayerRun(layer, on: Self.packed, options)
            func run(training: Bool) -> ShardedRun {
                ShardedRun(
                    layer, parts: 2, chunk: shape.steps, lengths: options.lengths, training: training,
                    weighsDifferently: true)
            }
            expectBits(of: whole, in: run(training: true), "\(shape)")
            let inference = run(training: false)
            let isSame =
                bits(inference.output) == bits(whole.output) && bits(inference.finalCell) == bits(whole.finalCell)
            #expect(isSame, "\(shape), inference")
        }
    }

    private func expectBits(
        of whole: LayerRun<BackendKernels<Float>>, in run: ShardedRun, _ name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for part in run.finalHidden.indices {
            expectSame(run.results(part: part), whole.results, "part \(part), \(name)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: RecurrentKind.allCases, WeightPrecision.allCases)
    func `inference in parts has the bits of the whole in every precision`(
        cell: RecurrentKind, precision: WeightPrecision
    ) {
        for shape in Self.shapes {
            let layer = LayerCase<Float>(cell, shape)
            let whole = ShardedRun(layer, parts: 1, chunk: shape.steps, training: false, precision: precision)
            let run = ShardedRun(layer, parts: 3, chunk: 4, training: false, precision: precision)
            let isSame = bits(run.output) == bits(whole.output) && bits(run.finalCell) == bits(whole.finalCell)
            #expect(isSame, "\(cell), \(shape), \(precision)")
        }
    }

    /// Without this the tests above could pass because every part computes everything.
    @Test func `a part holds the weights of its own units only`() {
        let layer = LayerCase<Float>(.lstm, Self.shapes[3])
        let run = ShardedRun(layer, parts: 3, chunk: 9, training: false)
        // Those of all parts together, and of none more than a third and a vector of each gate.
        #expect((800..<800 + 4 * KernelSelection.laneCount).contains(run.gateColumns.reduce(0, +)))
        #expect(run.gateColumns.allSatisfy { abs($0 - 800 / 3) <= 4 * KernelSelection.laneCount })
    }

    @Test(arguments: [1, 7, 8, 9, 24, 200, 1024], [1, 2, 3, 4, 5])
    func `every unit belongs to one part`(width: Int, parts: Int) {
        for lanes in [4, 8, 16] {
            let ranges = (0..<parts).map { UnitShard(index: $0, count: parts).columns(of: width, lanes: lanes) }
            #expect(ranges.flatMap { Array($0) } == Array(0..<width))
            #expect(ranges.allSatisfy { $0.lowerBound % lanes == 0 || $0.isEmpty })
        }
    }
}
