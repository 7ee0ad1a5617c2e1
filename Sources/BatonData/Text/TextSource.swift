import Foundation

/// Text out of files.
public enum TextSource {
    /// The text of the files, joined in the order given.
    ///
    /// A byte order mark at the start of a file is dropped, and a file that does not end in a newline is followed by
    /// one before the next file starts, so that words of two files do not melt together. Everything else is left as it
    /// is; in particular carriage returns stay.
    ///
    /// - Throws: `DataError` when no file is named, or a file is missing, unreadable, empty or not UTF-8.
    public static func read(paths: [String]) throws(DataError) -> String {
        guard !paths.isEmpty else {
            throw DataError(.noFiles, "No text file is named; name at least one.")
        }
        var text = ""
        for path in paths {
            if !text.isEmpty && text.unicodeScalars.last != "\n" { text += "\n" }
            text += try read(path: path)
        }
        return text
    }

    private static func read(path: String) throws(DataError) -> String {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw DataError(.cannotRead, "There is no file \(path); check the path.")
        }
        guard !isDirectory.boolValue else {
            throw DataError(.cannotRead, "\(path) is a directory where a text file is expected; name its files.")
        }
        var status = stat()
        guard stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
            throw DataError(
                .cannotRead, "\(path) is a pipe or device where a text file is expected; save the text in a file.")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw DataError(.cannotRead, "Cannot read \(path); check its permissions and the disk.")
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = data.starts(with: mark) ? data.dropFirst(mark.count) : data
        guard !bytes.isEmpty else {
            throw DataError(.empty, "\(path) is empty; name a file with text in it.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DataError(
                .notUTF8,
                "\(path) is not UTF-8 text (byte \(firstInvalidByte(of: data)) cannot be read); convert it, "
                    + "for instance with iconv -t UTF-8.")
        }
        return text
    }

    /// How many bytes are well-formed before the first that is not.
    private static func firstInvalidByte(of data: Data) -> Int {
        var decoder = UTF8()
        var iterator = data.makeIterator()
        var valid = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { valid += UTF8.width(scalar) }
        return valid
    }
}
