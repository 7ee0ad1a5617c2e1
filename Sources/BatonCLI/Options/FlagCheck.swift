import ArgumentParser

/// What several commands refuse in their flags: wrong usage, said in the same words.
enum FlagCheck {
    /// Refuses counts below 1, or above a limit if there is one; flags that were not given pass.
    static func counts(_ flags: KeyValuePairs<String, Int?>, limit: Int? = nil) throws {
        for case (let flag, let count?) in flags where count < 1 || count > limit ?? .max {
            throw ValidationError("\(flag) is \(count), expected \(limit.map { "1 to \($0)" } ?? "at least 1").")
        }
    }

    /// Refuses a number of tokens that no text has: it is written when it is whole.
    static func lengths(_ flags: KeyValuePairs<String, Int>) throws {
        let limit = 10_000_000
        for (flag, length) in flags where !(0...limit ~= length) {
            throw ValidationError("\(flag) is \(length), expected 0 to \(limit).")
        }
    }

    // The following are written so that NaN is refused too.

    /// Refuses what is no share of a whole that leaves something.
    static func fractions(_ flags: KeyValuePairs<String, Double?>) throws {
        for case (let flag, let share?) in flags where !(share >= 0 && share < 1) {
            throw ValidationError("\(flag) is \(share), expected 0 or more and less than 1.")
        }
    }

    /// Refuses a time that no measurement takes.
    static func seconds(_ seconds: Double) throws {
        guard seconds >= 0, seconds <= 3600 else {
            throw ValidationError("--seconds is \(seconds), expected 0 to 3600.")
        }
    }

    /// Numbers from 1 to a limit, joined by commas.
    ///
    /// - Parameter example: a list of them, for the message.
    static func list(_ text: String, of flag: String, limit: Int, example: String) throws -> [Int] {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard numbers.allSatisfy({ 1...limit ~= $0 }) else {
            throw ValidationError("\(flag) '\(text)' is no list of numbers from 1 to \(limit), such as \(example).")
        }
        return numbers
    }
}
