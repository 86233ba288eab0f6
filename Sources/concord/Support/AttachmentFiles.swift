// The files that go into attachments and come out of them: read and written in pieces, and what comes out appears under
// its name only when it is whole and what was attached.

import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import Glibc
import Synchronization

/// A file that is attached.
final class FileSource: Sendable {
    /// The last part of its path.
    let name: String
    /// Its bytes; nil for what is no regular file.
    let size: Int64?
    private let path: String
    private let descriptor: Int32
    private static let pieceBytes = 256 << 10

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: ``ConcordError`` E-1010.
    init(_ path: String) throws {
        self.path = path == "-" ? "standard input" : path
        name = path.split(separator: "/").last.map(String.init) ?? path
        descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LocalFile.refusal("\(self.path) cannot be read") }
        var information = stat()
        let isKnown = fstat(descriptor, &information) == 0
        guard !isKnown || information.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw ConcordError(.unreadableFile, "\(path) is a folder", action: "attach its files one by one")
        }
        size =
            isKnown && information.st_mode & S_IFMT == S_IFREG && path != "-"
            ? Int64(information.st_size) : nil
    }

    deinit { close(descriptor) }

    /// The next piece; nil at the end.
    func next() throws -> [UInt8]? {
        while true {
            var failure: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
                let got = read(descriptor, buffer.baseAddress, buffer.count)
                if got < 0 { failure = errno }
                count = max(0, got)
            }
            if failure == EINTR { continue }
            errno = failure
            guard failure == 0 else { throw LocalFile.refusal("\(path) cannot be read") }
            return piece.isEmpty ? nil : piece
        }
    }
}

/// A file that an attachment is written to.
final class FileTarget: Sendable {
    private struct State {
        var size: Int64 = 0
        var hash = Hash()
    }

    private final class Hash: @unchecked Sendable {
        var value = SHA256()
    }

    private let path: String
    private let draft: String?
    private let descriptor: Int32
    private let expected: AttachmentDocument
    private let state = Mutex(State())

    /// Begins a file; `-` is standard output.
    ///
    /// - Throws: ``ConcordError`` E-1014 if it exists, E-1010 if it cannot be written.
    init(_ path: String, expecting attachment: AttachmentDocument) throws {
        self.path = path
        expected = attachment
        guard path != "-" else {
            draft = nil
            descriptor = dup(STDOUT_FILENO)
            return
        }
        guard !LocalFile.exists(path) else {
            throw ConcordError(.fileExists, "\(path) exists already and is not overwritten")
        }
        let draft = "\(path).\(getpid()).new"
        self.draft = draft
        descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw LocalFile.refusal("\(path) cannot be written") }
    }

    deinit { close(descriptor) }

    /// Writes the next piece.
    func take(_ piece: [UInt8]) throws {
        try LocalFile.writeAll(piece, to: descriptor, path: path)
        state.withLock { state in
            state.size += Int64(piece.count)
            state.hash.value.update(piece)
        }
    }

    /// Gives the file its name.
    ///
    /// - Throws: ``ConcordError`` E-3020 if it is not what the record says, E-1014 if the name was taken meanwhile.
    func finish() throws {
        let (size, hash) = state.withLock { ($0.size, $0.hash.value.finalize()) }
        guard size == expected.size, expected.sha256.map({ $0 == hash.description }) ?? true else {
            throw ConcordError(
                .blobMismatch, "the file's SHA-256 is \(hash), and not what its record says",
                action: "ask \(expected.owner) to attach it again")
        }
        guard let draft else { return }
        guard fsync(descriptor) == 0 else { throw LocalFile.refusal("\(path) cannot be made durable") }
        guard link(draft, path) == 0 else {
            throw errno == EEXIST
                ? ConcordError(.fileExists, "\(path) exists already and is not overwritten")
                : LocalFile.refusal("\(path) cannot be written")
        }
        unlink(draft)
    }

    /// Throws away what was written.
    func abandon() {
        if let draft { unlink(draft) }
    }
}

/// Waiting for a file that is not on the node yet.
struct AttachmentWait {
    let common: CommonOptions
    let timeout: TypedSpan?

    /// How often progress is told where standard error is no terminal.
    private static let remarkInterval = Duration.seconds(5)

    /// Has the file fetched and waits until it is here, telling on standard error how far it has come.
    ///
    /// - Throws: ``ConcordError`` E-1015 if it does not come in time.
    func wait(for attachment: AttachmentDocument) async throws -> AttachmentDocument {
        guard attachment.state != .here else { return attachment }
        let deadline = timeout.map { ContinuousClock.now + .milliseconds($0.milliseconds) }
        let isTerminal = isatty(STDERR_FILENO) == 1 && !common.json
        var current = try await common.daemon.fetchAttachment(attachment.id).document
        var told = ""
        var toldAt = ContinuousClock.now - Self.remarkInterval
        while current.state != .here {
            let line = "\(current.name): \(AttachmentView.state(current))"
            if line != told, isTerminal || ContinuousClock.now >= toldAt + Self.remarkInterval {
                if isTerminal { common.output.progress(line) } else { common.output.remark(line) }
                (told, toldAt) = (line, .now)
            }
            if let deadline, ContinuousClock.now >= deadline {
                throw ConcordError(
                    .timeout, "the file has not come in time: \(AttachmentView.state(current))",
                    action: "ask again: what has come is kept, and the node goes on fetching")
            }
            try await Task.sleep(for: ClientLimits.pollInterval)
            guard let next = try await common.daemon.attachments(of: current.id).document.attachments.first
            else { throw ConcordError(.unknownAttachment, "the attachment was erased meanwhile") }
            guard next.state != .elsewhere else {
                throw ConcordError(.blobNotHeld, "the attachment was removed or dropped meanwhile")
            }
            current = next
        }
        if isTerminal { common.output.progress("") }
        return current
    }
}
