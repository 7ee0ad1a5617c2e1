public import BatonTensor

/// Initialisers by Gluon's registry names, whatever their case: `uniform`, `normal`, `zeros`, `ones`, `constant`,
/// `xavier`, `msraprelu`, `orthogonal`, `lstmbias`.
public enum NamedInitializer {
    /// Argument of an initialiser.
    public enum Argument: Sendable, Hashable {
        case number(Double)
        case text(String)
    }

    /// The initialiser of that name; arguments have Gluon's names (`scale`, `sigma`, `value`, `rnd_type`, `factor_type`,
    /// `magnitude`, `slope`, `rand_type`, `forget_bias`) and default to Gluon's values.
    ///
    /// - Throws: `NNError` naming an unknown initialiser or argument, or one of a wrong kind or size.
    /// - Source: Gluon `initializer.create` (parity 3.4).
    public static func make(_ name: String, _ arguments: [String: Argument] = [:]) throws(NNError) -> any Initializer {
        var rest = Arguments(name, arguments)
        let made: any Initializer
        switch name.lowercased() {
        case "uniform": made = UniformInitializer(try rest.scale("scale", 0.07))
        case "normal": made = NormalInitializer(try rest.scale("sigma", 0.01))
        case "zero", "zeros": made = ConstantInitializer.zero
        case "one", "ones": made = ConstantInitializer.one
        case "constant": made = ConstantInitializer(try rest.number("value", nil))
        case "xavier":
            made = XavierInitializer(
                distribution: try rest.choice("rnd_type", .uniform), factor: try rest.choice("factor_type", .average),
                magnitude: try rest.scale("magnitude", 3))
        case "msraprelu":
            made = MSRAPreluInitializer(
                factor: try rest.choice("factor_type", .average), slope: try rest.number("slope", 0.25))
        case "orthogonal":
            made = OrthogonalInitializer(
                scale: try rest.scale("scale", 1.414), distribution: try rest.choice("rand_type", .uniform))
        case "lstmbias": made = LSTMBiasInitializer(forgetBias: try rest.number("forget_bias", 1))
        default:
            throw NNError(
                "'\(name)' is no initialiser; use uniform, normal, zeros, ones, constant, xavier, msraprelu, orthogonal or lstmbias."
            )
        }
        try rest.finish()
        return made
    }

    /// Arguments not yet taken.
    private struct Arguments {
        private let name: String
        private var values: [String: Argument]

        init(_ name: String, _ values: [String: Argument]) {
            self.name = name
            self.values = values
        }

        mutating func number(_ key: String, _ fallback: Double?) throws(NNError) -> Double {
            switch values.removeValue(forKey: key) {
            case .number(let value): return value
            case .text(let text):
                throw NNError("Argument \(key) of initialiser \(name) is '\(text)'; expected a number.")
            case nil:
                guard let fallback else {
                    throw NNError("Initialiser \(name) lacks the argument \(key); give it a number.")
                }
                return fallback
            }
        }

        /// A number that is not negative.
        mutating func scale(_ key: String, _ fallback: Double) throws(NNError) -> Double {
            let value = try number(key, fallback)
            guard value >= 0, value.isFinite else {
                throw NNError("Argument \(key) of initialiser \(name) is \(value); expected a number of at least 0.")
            }
            return value
        }

        mutating func choice<Choice: RawRepresentable>(
            _ key: String, _ fallback: Choice
        ) throws(NNError) -> Choice where Choice.RawValue == String {
            guard let value = values.removeValue(forKey: key) else { return fallback }
            guard case .text(let text) = value, let choice = Choice(rawValue: text) else {
                throw NNError("Argument \(key) of initialiser \(name) is \(value); it has no such choice.")
            }
            return choice
        }

        func finish() throws(NNError) {
            if let unknown = values.keys.min() {
                throw NNError("Initialiser \(name) has no argument \(unknown); see Gluon's documentation of it.")
            }
        }
    }
}
