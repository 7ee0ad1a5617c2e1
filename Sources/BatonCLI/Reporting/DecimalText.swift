import Glibc

/// A number with a fixed count of digits after the point, independent of the locale.
func fixed(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    guard abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    guard abs(value) * scale < 9e15 else { return "\(value)" }
    let scaled = (abs(value) * scale).rounded()
    let sign = value < 0 && scaled > 0 ? "-" : ""
    let whole = Int(scaled / scale)
    guard digits > 0 else { return "\(sign)\(Int(scaled))" }
    let fraction = "\(Int(scaled) - whole * Int(scale))"
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// e to the power of a number.
func exponential(_ value: Double) -> Double { exp(value) }
