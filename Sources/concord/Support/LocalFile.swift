// Files that people name on the command line: read whole within a limit, never written over.

import ConcordClient
import ConcordCrypto
import ConcordModel
import Glibc

/// A file of the person who runs the command.
enum LocalFile {
    /// The bytes of a file; `-` is standard input.
    ///
    /// - Throws: ``ConcordError`` E-1010.
    static func read(_ path: String) throws -> [UInt8] {
        try read(path, upTo: ClientLimits.fileBytes) { name in
            ConcordError(
                .unreadableFile, "\(name) has more than \(ClientLimits.fileBytes >> 20) MiB",
                action: "split it")
        }
    }

    /// The text of a file that is written over another text; `-` is standard input.
    ///
    /// - Throws: ``ConcordError`` E-1010, or E-3002 for one that is longer than any text.
    static func readDocumentText(_ path: String, over base: String) throws -> TypedText {
        let bytes = try read(path, upTo: ClientLimits.textFileBytes) { name in
            ConcordError(
                .limitExceeded,
                "\(name) has more than \(ClientLimits.textFileBytes) bytes; a text has at most "
                    + "\(Limits.textScalars) characters",
                action: "split it; nothing was written")
        }
        return try TypedText(bytes, over: base, name: Self.name(path))
    }

    private static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

    private static func read(
        _ path: String, upTo maximum: Int, tooLarge: (String) -> ConcordError
    ) throws -> [UInt8] {
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal("\(name(path)) cannot be read") }
        defer { close(descriptor) }
        return try readAll(descriptor, name: name(path), upTo: maximum, tooLarge: tooLarge)
    }

    /// The text of a file in UTF-8.
    static func readText(_ path: String) throws -> String {
        guard let text = String(validating: try read(path), as: UTF8.self) else {
            throw ConcordError(.unreadableFile, "\(path) is not text in UTF-8", action: "save it as UTF-8")
        }
        return text
    }

    /// The authority certificate that another member exported.
    ///
    /// - Throws: ``ConcordError`` E-1010 or E-2004.
    static func authority(_ path: String) throws -> MemberStatement {
        let text = try readText(path)
        do {
            return try MemberStatement(authority: try Certificate(pem: text))
        } catch let error as CryptoError {
            throw ConcordError(
                .malformedCertificate, "\(path) is not an authority certificate: \(error.sentence)",
                action: "ask the member for the file that `concord identity export` writes")
        }
    }

    /// Writes a new file.
    ///
    /// - Throws: ``ConcordError`` E-1014 if it exists, E-1010 if it cannot be written, E-5004 if the disk is
    ///   full.
    static func create(_ path: String, _ bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw errno == EEXIST
                ? ConcordError(.fileExists, "\(path) exists already and is not overwritten")
                : refusal("\(path) cannot be written")
        }
        defer { close(descriptor) }
        do {
            try writeAll(bytes, to: descriptor, path: path)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Writes all bytes.
    ///
    /// - Throws: ``ConcordError`` E-1010 or E-5004.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw refusal("\(path) cannot be written") }
            rest.removeFirst(count)
        }
    }

    /// Writes a file in place of the one that is there, whole or not at all.
    ///
    /// - Throws: ``ConcordError`` E-1010 or E-5004.
    static func replace(_ path: String, _ bytes: [UInt8]) throws {
        let temporary = "\(path).\(getpid()).new"
        try create(temporary, bytes)
        guard rename(temporary, path) == 0 else {
            let reason = refusal("\(path) cannot be written")
            unlink(temporary)
            throw reason
        }
    }

    private static func readAll(
        _ descriptor: Int32, name: String, upTo maximum: Int, tooLarge: (String) -> ConcordError
    ) throws -> [UInt8] {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw refusal("\(name) cannot be read") }
            if count == 0 { return result }
            result += buffer[..<count]
            guard result.count <= maximum else { throw tooLarge(name) }
        }
    }

    /// What the system just refused.
    static func refusal(_ message: String) -> ConcordError {
        let number = errno
        return ConcordError(
            number == ENOSPC ? .diskFull : .unreadableFile, "\(message): \(String(cString: strerror(number)))"
        )
    }
}

extension CryptoError {
    /// The message without a full stop.
    var sentence: String { message.hasSuffix(".") ? String(message.dropLast()) : message }
}
