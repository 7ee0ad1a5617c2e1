/// Ends the process at a caller's mistake, with a sentence that says what was expected. Not `precondition`, whose
/// message a release build does not print.
@inlinable @inline(__always)
package func require(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { fatalError(message(), file: file, line: line) }
}
