import Glibc

extension AtomicFile {
    /// Every temporary file of Baton ends so; its name starts with a dot and the name of its target.
    static let temporarySuffix = ".temporary"

    /// The directory part of a path, "." when there is none.
    static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func baseName(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// The path with symbolic links resolved, when something that may be replaced is there already.
    static func resolveTarget(of path: String) throws(FormatError) -> String {
        guard !baseName(of: path).isEmpty else {
            throw FormatError(
                .notARegularFile, "\(FormatError.quote(path)) does not end in a file name; name a file to write.")
        }
        guard let resolved = realpath(path, nil) else { return linkTarget(of: path) }
        defer { free(resolved) }
        var status = stat()
        // Renaming over a device such as /dev/null would destroy it.
        guard stat(resolved, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
            throw FormatError(
                .notARegularFile,
                "\(path) is a directory, pipe or device and is not replaced by a file; name a file to write.")
        }
        return String(cString: resolved)
    }

    /// Where a link to a file that is not there points; the path itself if it is no link.
    package static func linkTarget(of path: String) -> String {
        var path = path
        // As many as Linux follows.
        for _ in 0..<40 {
            let found = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer -> String? in
                guard let start = buffer.baseAddress else { return nil }
                let count = readlink(path, start, buffer.count - 1)
                guard count > 0 else { return nil }
                start[count] = 0
                return String(cString: start)
            }
            guard let found else { return path }
            path = found.hasPrefix("/") ? found : directory(of: path) + "/" + found
        }
        return path
    }

    /// Creates a temporary file that nobody else has, with the permissions of the target if that is there, locked until it
    /// is closed.
    static func openTemporary(
        beside target: String, for path: String
    ) throws(FormatError) -> (descriptor: Int32, path: String) {
        var old = stat()
        let replaces = stat(target, &old) == 0
        while true {
            let mark = String(UInt64.random(in: .min ... .max), radix: 16)
            let name = "\(directory(of: target))/\(temporaryPrefix(of: target))\(mark)\(temporarySuffix)"
            let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, replaces ? 0o600 : 0o666)
            guard descriptor >= 0 else {
                if errno == EEXIST || errno == EINTR { continue }
                throw .system(
                    .writeFailed, "Cannot write \(path)", errorNumber: errno,
                    remedy: "check that its directory exists and may be written to")
            }
            // The lock tells removeLeftovers that the writer lives. Where the file system has no locks, nobody can
            // take one either, and nothing is ever removed.
            let isContested = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
            var status = stat()
            if !isContested && fstat(descriptor, &status) == 0 && status.st_nlink > 0 {
                if replaces { fchmod(descriptor, old.st_mode & 0o777) }
                return (descriptor, name)
            }
            // Another writer took the new file for a leftover before it was locked: take another name.
            close(descriptor)
            unlink(name)
        }
    }

    /// Removes temporary files of this target whose writer was killed.
    ///
    /// Best effort: a leftover that cannot be removed costs disk space, nothing else.
    static func removeLeftovers(of target: String) {
        let place = directory(of: target)
        guard let listing = opendir(place) else { return }
        defer { closedir(listing) }
        let prefix = temporaryPrefix(of: target)
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { characters in
                characters.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix(prefix), name.hasSuffix(temporarySuffix),
                isMark(name.dropFirst(prefix.count).dropLast(temporarySuffix.count))
            else { continue }
            let descriptor = open("\(place)/\(name)", O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink("\(place)/\(name)") }
            close(descriptor)
        }
    }

    /// How the names of a target's temporary files begin: with a dot and its own name, cut where mark and suffix would
    /// make it longer than a name may be.
    private static func temporaryPrefix(of target: String) -> String {
        let rest = 2 + 16 + temporarySuffix.utf8.count
        var name = baseName(of: target)
        while name.utf8.count + rest > Int(NAME_MAX) { name.removeLast() }
        return ".\(name)."
    }

    /// Whether the text is a random mark of `openTemporary` (so that the leftovers of `a` are not those of `a.b`).
    private static func isMark(_ text: Substring) -> Bool {
        UInt64(text, radix: 16) != nil
    }
}
