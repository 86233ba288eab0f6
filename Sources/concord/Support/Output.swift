// What is printed and where. With `--json` standard output is exactly one JSON document, or nothing if there
// was an error.

import ConcordAPI
import ConcordClient
import ConcordModel
import Foundation

/// Who runs the command.
enum Caller {
    /// The environment variables of the process.
    static let environment = ProcessInfo.processInfo.environment
}

extension Answer where Document: Encodable {
    /// What is found without the daemon, in the form in which it would answer.
    init(encoding document: Document) throws {
        self.init(document: document, json: try Output.encoded(document))
    }
}

/// Where a command's results go.
struct Output: Sendable {
    let json: Bool
    let style: TextStyle
    private let isTerminal: Bool

    init(json: Bool) {
        self.json = json
        isTerminal = isatty(STDOUT_FILENO) == 1
        style = TextStyle(
            isTerminal: isTerminal, environment: Caller.environment,
            terminalColumns: Self.terminalColumns)
    }

    /// The columns of the terminal to which standard output goes; nil if it goes elsewhere.
    private static var terminalColumns: Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Prints lines for people.
    func lines(_ lines: [String]) {
        write(lines.joined(separator: "\n") + "\n", to: STDOUT_FILENO)
    }

    /// The bytes of a JSON document, as the daemon would write it.
    static func encoded(_ document: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document))
    }

    /// Any JSON document.
    static func value(_ json: [UInt8]) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(json))
    }

    /// Prints a text exactly as it is; on a terminal with what could harm it escaped.
    func text(_ text: String) {
        write(isTerminal ? TerminalText.escapedText(text) : text, to: STDOUT_FILENO)
    }

    /// Prints a JSON document.
    func document(_ document: some Encodable) {
        do {
            self.json(try Self.encoded(document))
        } catch {
            preconditionFailure("a document cannot be written as JSON: \(error)")
        }
    }

    /// Prints a JSON document as the daemon sent it, with one line break at its end.
    func json(_ bytes: [UInt8]) {
        let end = bytes.lastIndex { $0 != UInt8(ascii: "\n") } ?? -1
        write(String(decoding: bytes[...end], as: UTF8.self) + "\n", to: STDOUT_FILENO)
    }

    /// Prints an answer: as sent with `--json`, else in lines for people.
    func answer<Document>(_ answer: Answer<Document>, _ lines: (Document) -> [String]) {
        if json { self.json(answer.json) } else { self.lines(lines(answer.document)) }
    }

    /// Prints what was made here: a document with `--json`, else lines for people.
    func result(_ document: some Encodable, _ lines: [String]) {
        if json { self.document(document) } else { self.lines(lines) }
    }

    /// Prints a remark that is neither result nor error; with `--json` the document carries it instead.
    func remark(_ text: String) {
        if !json { write(text + "\n", to: STDERR_FILENO) }
    }

    /// Writes over the line on standard error, which must be a terminal; an empty text clears it.
    func progress(_ text: String) {
        write(
            "\r\u{1b}[K" + TerminalText.truncated(TerminalText.escaped(text), to: style.columns - 1),
            to: STDERR_FILENO)
    }

    /// Asks a question on standard error, without a line break.
    func ask(_ question: String) { write(TerminalText.escaped(question), to: STDERR_FILENO) }

    /// Prints an error on standard error.
    func error(_ error: ConcordError) {
        if json {
            let document = ErrorDocument(
                code: error.code.rawValue, message: error.message, action: error.action)
            let text = (try? Self.encoded(document)).map { String(decoding: $0, as: UTF8.self) }
            write((text ?? #"{"error":{"code":"E-6007"}}"#) + "\n", to: STDERR_FILENO)
        } else {
            write(TerminalText.escaped(error.description) + "\n", to: STDERR_FILENO)
        }
    }

    private func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            bytes.removeFirst(count)
        }
    }
}
