import Glibc

/// The system's words for an error number, for example "No space left on device".
func systemReason(_ errorNumber: Int32) -> String {
    guard let text = strerror(errorNumber) else { return "system error \(errorNumber)" }
    return String(cString: text)
}
