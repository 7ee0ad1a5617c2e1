import BatonKernels
import BatonTestSupport
import Testing

@testable import BatonTensor

/// What an embedding says about equal rows of its result.
@Suite struct RepeatedRowsTests {
    private func embedded(_ ids: [Int32], batch: Int, tableRows: Int, width: Int = 3) -> Variable {
        let weight = Parameter(name: "table", shape: [tableRows, width])
        weight.setData(Tensor((0..<tableRows * width).map(Float.init), shape: [tableRows, width]))
        let context = ForwardContext(leaves: .whole(rows: batch))
        return context.embedding(Tensor(ids, shape: [ids.count / batch, batch]), weight: weight)
    }

    @Test func `the rows that differ and their numbers give the value`() throws {
        let ids = (0..<96).map { Int32($0 * $0 % 11) }
        let variable = embedded(ids, batch: 4, tableRows: 12)
        let distinct = try #require(variable.repeatedRows?.distinct)
        #expect(distinct.rows.shape == [Set(ids).count, 3])
        let (value, rows) = (variable.value.elements(as: Float.self), distinct.rows.elements(as: Float.self))
        for (place, number) in distinct.numbers.integers().enumerated() {
            #expect(value[place * 3..<place * 3 + 3] == rows[number * 3..<number * 3 + 3])
        }
    }

    @Test func `few rows, or rows that mostly differ, have nothing in common`() {
        #expect(embedded([Int32](repeating: 2, count: 63), batch: 3, tableRows: 5).repeatedRows?.distinct == nil)
        #expect(embedded([Int32](repeating: 2, count: 64), batch: 4, tableRows: 5).repeatedRows?.distinct != nil)
        let half = (0..<80).map { Int32($0 % 40) }
        #expect(embedded(half, batch: 4, tableRows: 50).repeatedRows?.distinct != nil)
        #expect(embedded(half.dropLast() + [40], batch: 4, tableRows: 50).repeatedRows?.distinct == nil)
        #expect(Variable(Tensor(zeros: [64, 2])).repeatedRows == nil)
    }
}
