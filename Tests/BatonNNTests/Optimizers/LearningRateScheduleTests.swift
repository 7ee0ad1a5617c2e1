import BatonNN
import Foundation
import Testing

@Suite struct LearningRateScheduleTests {
    @Test func factorsFollowTheirFormulas() throws {
        let linear = try LearningRateSchedule("linear:0.05")
        #expect(linear.factor(step: 0, totalSteps: 100) == 1)
        #expect(abs(linear.factor(step: 50, totalSteps: 100) - 0.525) < 1e-15)
        #expect(abs(linear.factor(step: 100, totalSteps: 100) - 0.05) < 1e-15)
        #expect(abs(linear.factor(step: 200, totalSteps: 100) - 0.05) < 1e-15)
        let cosine = try LearningRateSchedule("cosine")
        #expect(cosine.factor(step: 0, totalSteps: 8) == 1)
        #expect(abs(cosine.factor(step: 2, totalSteps: 8) - 0.853_553_390_593_273_8) < 1e-15)
        #expect(abs(cosine.factor(step: 8, totalSteps: 8)) < 1e-15)
        #expect(try LearningRateSchedule("constant").factor(step: 7, totalSteps: 8) == 1)
    }

    @Test(arguments: ["", "linear", "linear:", "linear:x", "linear:1.5", "linear:-0.1", "cosine:2", "exponential"])
    func aTextThatNamesNoScheduleIsRefused(_ text: String) {
        #expect(throws: NNError.self) { _ = try LearningRateSchedule(text) }
    }

    @Test(arguments: ["constant", "linear:0.05", "cosine"]) func theTextSurvivesEncoding(_ text: String) throws {
        let schedule = try LearningRateSchedule(text)
        #expect(schedule.description == text)
        let decoded = try JSONDecoder().decode(
            LearningRateSchedule.self, from: JSONEncoder().encode(schedule))
        #expect(decoded == schedule)
    }
}
