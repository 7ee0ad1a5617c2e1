/// A number with the noun it counts: `1 lane`, `2 lanes`.
///
/// - Parameter many: the plural where it does not end in an s.
package func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
}
