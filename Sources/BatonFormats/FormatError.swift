import BatonChecks
/// What was wrong with a file, or with the attempt to read or write it.
///
/// `message` is one sentence that names the file, the tensor when there is one, what was expected and found, and the
/// remedy. `code` says which rule was broken, so that a caller can tell the cases apart without reading prose.
public struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The broken rule.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        // Files.
        /// The file does not exist or may not be opened.
        case cannotOpen
        /// The path names a directory, pipe or device.
        case notARegularFile
        /// The system refused a read, or the file shrank while it was read.
        case readFailed
        /// The system refused a write, a flush or a rename.
        case writeFailed
        /// A SHA-256 text that is not 64 hexadecimal digits.
        case malformedDigest

        // Any tensor file.
        /// The file ends before the fixed-size part of its header.
        case tooShort
        /// The header claims to be longer than the rest of the file.
        case headerBeyondFile
        /// The header is longer than the format or Baton allows.
        case headerTooLong
        /// A dimension is negative.
        case negativeDimension
        /// More dimensions than `TensorExtent.maximumRank`.
        case tooManyDimensions
        /// The dimensions multiply to more bytes than an address can count.
        case sizeOverflow
        /// An element type the format does not define.
        case unknownDType
        /// An element type the format defines and Baton has no tensor for.
        case unsupportedDType
        /// Bytes after the last tensor that belong to nothing.
        case trailingBytes
        /// No tensor of the wanted name.
        case missingTensor
        /// A tensor of another shape or element type than wanted.
        case unexpectedTensor

        // Safetensors.
        /// The header is not UTF-8.
        case headerNotUTF8
        /// The header breaks the grammar of JSON.
        case headerNotJSON
        /// The header is JSON, but not an object.
        case headerNotObject
        /// Two members of one object, or two tensors, of the same name.
        case duplicateName
        /// A tensor's description lacks a member, has one too many, or one of the wrong kind.
        case malformedEntry
        /// `__metadata__` is not an object of strings.
        case malformedMetadata
        /// `data_offsets` runs backwards.
        case offsetsReversed
        /// `data_offsets` reaches beyond the end of the file.
        case offsetsBeyondFile
        /// `data_offsets` spans another number of bytes than shape and element type need.
        case sizeMismatch
        /// Two tensors share bytes.
        case overlappingTensors
        /// Bytes between two tensors belong to neither.
        case holeBetweenTensors
        /// A tensor to be written bears the reserved name `__metadata__`.
        case reservedName

        // NPY.
        /// The file does not start with NumPy's magic bytes.
        case notNPY
        /// A version of the format other than 1, 2 and 3.
        case unknownVersion
        /// The header is not the dictionary of `descr`, `fortran_order` and `shape`.
        case malformedHeader
        /// Elements in big-endian byte order.
        case bigEndian
        /// Fewer bytes of data than the shape needs.
        case truncatedData

        // MXNet's .params.
        /// The file does not start with the number of an NDArray list.
        case notMXNetParams
        /// The file ends inside a field.
        case truncatedRecord
        /// More arrays, names or bytes of a name are claimed than the rest of the file can hold.
        case countBeyondFile
        /// A field has a value the format does not define.
        case malformedRecord
        /// An array with sparse storage.
        case sparseArray
        /// An array that was saved before it had values.
        case valuelessArray
        /// A scalar, which version 2 of the format cannot express, is to be written.
        case scalarArray

        // MXNet's symbol JSON.
        /// The text is not JSON.
        case notJSON
        /// The JSON is no graph: a member is missing or of the wrong kind, or refers to what is not there.
        case malformedGraph
    }

    /// The broken rule.
    public let code: Code
    /// One sentence for the user.
    public let message: String

    /// An error of the given kind.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}

extension FormatError {
    /// An error that quotes the system's reason for a failed call.
    static func system(_ code: Code, _ subject: String, errorNumber: Int32, remedy: String) -> FormatError {
        FormatError(code, "\(subject): \(systemReason(errorNumber)); \(remedy).")
    }

    /// A name out of a file, in quotes and safe to print.
    static func quote(_ name: String) -> String { "'\(printable(name))'" }
}
