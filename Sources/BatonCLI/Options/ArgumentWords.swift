import ArgumentParser
import Foundation

/// The words of a command line, where the argument parser by itself would misread them or say too little.
enum ArgumentWords {
    /// Options that take several values, which may be given in several places.
    static let repeatable: Set<String> = ["--data"]
    /// Options whose value may look like an option.
    static let unconditional: Set<String> = ["--prompt", "--clip-min", "--clip-max"]

    /// Refuses words that cannot be what was meant: empty ones, options given twice, of which the parser would pass over
    /// the first, and names that are not UTF-8, which the program could only use with other bytes in them.
    static func check(_ words: [String]) throws {
        try checkRepetition(words)
        for (index, word) in words.enumerated() {
            let isValue = index > 0 && unconditional.contains(words[index - 1])
            if !isValue, word.hasPrefix("--"), word.firstIndex(of: "=") == word.indices.last {
                throw ValidationError("\(word.dropLast()) is empty; give it a value.")
            }
            guard word.isEmpty else { continue }
            let option = index > 0 && words[index - 1].hasPrefix("--") ? words[index - 1] : "An argument"
            throw ValidationError("\(option) is empty; give it a value.")
        }
        let bytes = FileManager.default.contents(atPath: "/proc/self/cmdline") ?? Data()
        for word in bytes.split(separator: 0) where String(validating: word, as: UTF8.self) == nil {
            throw ValidationError(
                "The argument '\(String(decoding: word, as: UTF8.self))' is not UTF-8; rename the file, or correct the text."
            )
        }
    }

    /// Refuses an option that is given twice.
    static func checkRepetition(_ words: [String]) throws {
        var seen: Set<Substring> = []
        var isValue = false
        for word in words {
            if word == "--" && !isValue { return }
            let option = word.prefix { $0 != "=" }
            if word.hasPrefix("--"), !isValue, !repeatable.contains(String(option)), !seen.insert(option).inserted {
                throw ValidationError("\(option) is given twice; give it once.")
            }
            isValue = !isValue && unconditional.contains(word)
        }
    }

    /// Refuses help that is asked about a command there is none of, for which the parser would show that of the commands
    /// before.
    static func checkHelp(_ words: [String], root: any ParsableCommand.Type) throws {
        guard words.first == "help" else { return }
        var command = root
        for word in words.dropFirst() where !word.hasPrefix("-") {
            let next = command.configuration.subcommands.first { $0.configuration.commandName == word }
            guard let next else {
                throw ValidationError("There is no command '\(word)'; name one that the help lists.")
            }
            command = next
        }
    }

    /// The words with each negative number joined to the option before it, as `--lr=-1`.
    ///
    /// The parser takes `-1` for an option, and says that the value of `--lr` is missing. Baton has no option that begins
    /// with a digit.
    static func joined(_ words: [String]) -> [String] {
        var joined: [String] = []
        for (index, word) in words.enumerated() {
            if word == "--" { return joined + words[index...] }
            if isNegativeNumber(word), let option = joined.last, option.hasPrefix("--"), !option.contains("=") {
                joined[joined.count - 1] = "\(option)=\(word)"
            } else {
                joined.append(word)
            }
        }
        return joined
    }

    /// Also a list that begins with one.
    private static func isNegativeNumber(_ word: String) -> Bool {
        guard word.hasPrefix("-"), let first = word.dropFirst().first else { return false }
        return ("0"..."9").contains(first) || Double(word) != nil
    }

    /// Why words were refused, as one sentence; of a value that should have been a number it says what kind.
    ///
    /// The parser keeps to itself what it tried to read, so it is given other values in place of the refused one.
    ///
    /// - Parameter parse: what threw the error when it read the words.
    static func refusal<Arguments: ParsableArguments>(
        _ error: any Error, of words: [String], as type: Arguments.Type, parse: ([String]) throws -> Void
    ) -> String {
        var message = type.message(for: error)
        // What a list of Baton's own says about itself begins with its option.
        if let match = message.firstMatch(of: /^The value '.*' is invalid for '(--[a-z-]+) <[a-z-]+>': (.+)$/),
            match.2.hasPrefix(match.1)
        {
            message = String(match.2)
        }
        if let match = message.firstMatch(of: /is invalid for '(--[a-z-]+) <[a-z-]+>'$/) {
            let option = String(match.1)
            func accepts(_ value: String) -> Bool {
                do { try parse(replacing(option, by: value, in: words)) } catch {
                    return !type.message(for: error).contains("'\(value)' is invalid for '\(option) ")
                }
                return true
            }
            if accepts("0.5") {
                message += ", expected a number"
            } else if accepts("-1") {
                message += ", expected a whole number up to \(Int.max)"
            } else if accepts("1") {
                message += ", expected a whole number from 0 to \(UInt64.max)"
            }
        }
        return message.hasSuffix(".") ? message : message + "."
    }

    private static func replacing(_ option: String, by value: String, in arguments: [String]) -> [String] {
        var words: [String] = []
        var isValue = false
        for word in arguments where !isValue {
            isValue = word == option
            words.append(isValue || word.hasPrefix(option + "=") ? "\(option)=\(value)" : word)
        }
        return words
    }
}
