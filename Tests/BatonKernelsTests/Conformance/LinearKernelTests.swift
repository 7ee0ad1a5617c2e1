import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Testing

/// The fully connected layer of every backend: against the oracle, and the same-bits rules.
@Suite struct LinearKernelTests {
    /// Results of the three products for some rows of a (T, N) window.
    private struct Run<Scalar> {
        var output: [Scalar]
        var inputGradient: [Scalar]
        /// W then b, one per subtree.
        var gradients: [[Scalar]]
        var hookCalls: Int
    }

    private struct Case {
        let steps: Int
        let batch: Int
        let layer: OracleLinear
        let input: [Double]
        let outputGradient: [Double]

        init(steps: Int, batch: Int, width: Int, units: Int) {
            self.steps = steps
            self.batch = batch
            var random = SeededRandom(seed: UInt64(steps + 10 * batch + 100 * width + 10_000 * units))
            // Values with 20 significant bits are the same in both scalar types.
            func values(_ count: Int) -> [Double] {
                random.array(count).map { ($0 * 0x1p20).rounded() * 0x1p-20 }
            }
            layer = OracleLinear(
                units: units, width: width, weight: values(units * width), bias: values(units))
            input = values(steps * batch * width)
            outputGradient = values(steps * batch * units)
        }
    }

    private func run<Kernels: KernelsUnderTest>(
        _ one: Case, on kernels: Kernels, rows: Range<Int>, plan: LeafPlan, hasBias: Bool = true, adds: Bool = false,
        batchMajor: Bool = false
    ) -> Run<Kernels.Scalar> {
        typealias Scalar = Kernels.Scalar
        let (units, width, count) = (one.layer.units, one.layer.width, one.steps * rows.count)
        let kernel = kernels.linear(units: units, width: width)
        withPointers([one.layer.weight, one.layer.bias]) {
            kernel.update(weight: $0[0], bias: hasBias ? $0[1] : nil, training: true)
        }
        func strides(_ columns: Int) -> SequenceStrides {
            batchMajor
                ? .batchMajor(steps: one.steps, width: columns + 1)
                : .timeMajor(batch: rows.count, width: columns + 1)
        }
        /// Where the row (t, n) of all rows is in memory, time by time.
        func places(_ columns: Int) -> [Int] {
            (0..<one.steps).flatMap { t in
                rows.indices.map { strides(columns).offset(time: t, row: $0 - rows.lowerBound) }
            }
        }
        func held(_ values: [Double], _ columns: Int) -> Memory<Scalar> {
            let memory = Memory([Scalar](repeating: -77, count: count * (columns + 1)))
            for (index, place) in places(columns).enumerated() {
                let (t, n) = (index / rows.count, rows.lowerBound + index % rows.count)
                for column in 0..<columns {
                    memory.pointer[place + column] = Scalar(values[(t * one.batch + n) * columns + column])
                }
            }
            return memory
        }
        let x = held(one.input, width)
        let dy = held(one.outputGradient, units)
        let y = Memory([Scalar](repeating: -77, count: count * (units + 1)))
        let dx = Memory([Scalar](repeating: adds ? 0.5 : -77, count: count * (width + 1)))
        let counter = HookCounter()
        kernel.forward(
            steps: one.steps, batch: rows.count, leaves: plan, input: x.pointer, inputStrides: strides(width),
            output: y.pointer, outputStrides: strides(units))
        kernel.backwardData(
            steps: one.steps, batch: rows.count, leaves: plan, outputGradient: dy.pointer,
            outputGradientStrides: strides(units), inputGradient: dx.pointer, inputGradientStrides: strides(width),
            adds: adds)
        let targets = plan.subtrees.map { _ in Memory([Scalar](repeating: 0, count: units * (width + 1))) }
        kernel.backwardWeights(
            steps: one.steps, batch: rows.count, leaves: plan, input: x.pointer, inputStrides: strides(width),
            outputGradient: dy.pointer, outputGradientStrides: strides(units),
            gradients: targets.map { target in
                LinearGradientPointers(
                    weight: target.pointer, bias: hasBias ? target.pointer + units * width : nil)
            }, hook: counter.hook)
        func columns(_ memory: Memory<Scalar>, _ columns: Int, guardValue: Scalar) -> [Scalar] {
            let values = memory.values
            return places(columns).flatMap { place -> ArraySlice<Scalar> in
                #expect(values[place + columns] == guardValue, "\(kernels) wrote between the rows")
                return values[place..<place + columns]
            }
        }
        return withExtendedLifetime((x, dy)) {
            Run(
                output: columns(y, units, guardValue: -77),
                inputGradient: columns(dx, width, guardValue: adds ? 0.5 : -77),
                gradients: targets.map(\.values), hookCalls: counter.take())
        }
    }

    @Test(arguments: kernelsUnderTest.indices, [1, 3])
    func `the three products match the oracle`(kernels: Int, steps: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            for (rows, width, units) in NamedShapes.linear {
                let one = Case(steps: steps, batch: rows, width: width, units: units)
                let actual = run(one, on: kernels, rows: 0..<rows, plan: .whole(rows: rows))
                let back = one.layer.backward(one.input, outputGradient: one.outputGradient)
                func compare(_ what: String, _ values: [Kernels.Scalar], _ expected: [Double], depth: Int) {
                    let violation = Tolerance.violation(
                        "\(what), \(kernels), \(rows)×\(width)×\(units)", values.map { Double($0) }, expected,
                        scale: 1,  // all factors are within ±1
                        tolerance: Tolerance.relative(epsilon: Double(Kernels.Scalar.ulpOfOne), depth: depth))
                    #expect(violation == nil)
                }
                compare("y", actual.output, one.layer.forward(one.input), depth: width)
                compare("dx", actual.inputGradient, back.input, depth: units)
                compare("dW and db", actual.gradients[0], back.weight + back.bias, depth: steps * rows)
                #expect(actual.hookCalls > 0)
                let noBias = run(
                    one, on: kernels, rows: 0..<rows, plan: .whole(rows: rows), hasBias: false, adds: true)
                let plain = OracleLinear(
                    units: units, width: width, weight: one.layer.weight, bias: one.layer.bias.map { _ in 0 })
                compare("y without bias", noBias.output, plain.forward(one.input), depth: width)
                compare("dx added", noBias.inputGradient, back.input.map { $0 + 0.5 }, depth: units)
                compare(
                    "dW without bias", noBias.gradients[0], back.weight + back.bias.map { _ in 0 },
                    depth: steps * rows)
            }
        }
        check(kernelsUnderTest[kernels])
    }

    @Test(arguments: kernelsUnderTest.indices)
    func `arrays whose rows stand before the times give the same bits`(kernels: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            for batch in [1, 13] {
                let one = Case(steps: 3, batch: batch, width: 37, units: 29)
                let plan = LeafPlan.whole(rows: batch)
                let timeMajor = run(one, on: kernels, rows: 0..<batch, plan: plan, adds: true)
                let batchMajor = run(one, on: kernels, rows: 0..<batch, plan: plan, adds: true, batchMajor: true)
                let isSameOutput = bits(batchMajor.output) == bits(timeMajor.output)
                #expect(isSameOutput, "y, \(kernels), \(batch) rows")
                let isSameInput = bits(batchMajor.inputGradient) == bits(timeMajor.inputGradient)
                #expect(isSameInput, "dx, \(kernels), \(batch) rows")
                let areSameGradients = batchMajor.gradients.map { bits($0) } == timeMajor.gradients.map { bits($0) }
                #expect(areSameGradients, "dW and db, \(kernels), \(batch) rows")
            }
        }
        check(kernelsUnderTest[kernels])
    }

    @Test(arguments: kernelsUnderTest.indices)
    func `leaves alone and subtrees of several processes give the bits of the whole`(kernels: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let (steps, batch, width, units) = (3, 13, 37, 29)
            let one = Case(steps: steps, batch: batch, width: width, units: units)
            let whole = run(one, on: kernels, rows: 0..<batch, plan: .whole(rows: batch))
            for leaf in LeafPlan.whole(rows: batch).leaves {
                let alone = run(
                    one, on: kernels, rows: leaf, plan: LeafPlan(leaves: [0..<leaf.count], subtrees: [0..<1]))
                for t in 0..<steps {
                    let own = t * leaf.count..<(t + 1) * leaf.count
                    let among = t * batch + leaf.lowerBound..<t * batch + leaf.upperBound
                    let isSameOutput =
                        bits(alone.output[own.lowerBound * units..<own.upperBound * units])
                        == bits(whole.output[among.lowerBound * units..<among.upperBound * units])
                    #expect(isSameOutput, "y, \(kernels), rows \(leaf)")
                    let isSameInput =
                        bits(alone.inputGradient[own.lowerBound * width..<own.upperBound * width])
                        == bits(whole.inputGradient[among.lowerBound * width..<among.upperBound * width])
                    #expect(isSameInput, "dx, \(kernels), rows \(leaf)")
                }
            }
            let halves = (0..<2).map { rank -> [Kernels.Scalar] in
                let plan = LeafPlan.part(rows: batch, leafCount: 8, rank: rank, size: 2)
                let first = rank == 0 ? 0 : batch - plan.rowCount
                return run(one, on: kernels, rows: first..<first + plan.rowCount, plan: plan).gradients[0]
            }
            let isSame = bits(zip(halves[0], halves[1]).map { $0 + $1 }) == bits(whole.gradients[0])
            #expect(isSame, "dW and db, \(kernels)")
        }
        check(kernelsUnderTest[kernels])
    }
}
