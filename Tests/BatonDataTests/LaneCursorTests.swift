import BatonData
import Foundation
import Testing

@Suite struct LaneCursorTests {
    @Test func visitsEveryWindowOfEveryEpochInOrder() {
        var cursor = LaneCursor()
        var visited: [[Int]] = []
        for _ in 0..<7 {
            visited.append([cursor.epoch, cursor.window])
            #expect(cursor.isAtLaneStart == (cursor.window == 0))
            cursor.advance(windowsPerEpoch: 3)
        }
        #expect(visited == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [2, 0]])
    }

    @Test func survivesJSONAndResumesWhereItStood() throws {
        var cursor = LaneCursor()
        for _ in 0..<5 { cursor.advance(windowsPerEpoch: 3) }
        let copy = try JSONDecoder().decode(LaneCursor.self, from: JSONEncoder().encode(cursor))
        #expect(copy == cursor)
        #expect(try LaneCursor(epoch: 1, window: 2, windowsPerEpoch: 3) == cursor)
    }

    @Test(arguments: [(0, 3), (0, -1), (-1, 0), (0, Int.max)]) func aCursorOutsideTheLanesIsRefused(
        epoch: Int, window: Int
    ) {
        let error = #expect(throws: DataError.self) {
            try LaneCursor(epoch: epoch, window: window, windowsPerEpoch: 3)
        }
        #expect(error?.code == .badCursor)
        #expect(error?.message.contains("3 ") == true)
    }
}
