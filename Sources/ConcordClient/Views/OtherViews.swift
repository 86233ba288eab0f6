// The smaller views: peers, search, log, verification.

import ConcordAPI
import ConcordModel

/// Peers for people.
public enum PeersView {
    /// The table of peers, and what was set by hand.
    public static func lines(_ document: PeersDocument, now: String, style: TextStyle = .plain) -> [String] {
        var lines = PeerTable(document.peers, now: now, style: style).lines()
        if lines.isEmpty {
            lines = ["no peers yet → concord peer add HOST:PORT, or wait until one dials this node"]
        }
        if !document.addresses.isEmpty {
            lines += [
                "", "added by hand: " + document.addresses.map(TerminalText.escaped).joined(separator: ", "),
            ]
        }
        if document.pausedAll {
            lines += ["", style.warning("exchange with everybody is paused") + " → concord peer resume"]
        } else if !document.paused.isEmpty {
            let codes = document.paused.map(TerminalText.escaped)
            lines += [
                "",
                style.warning("exchange is paused with " + codes.joined(separator: ", "))
                    + " → concord peer resume \(codes[0])",
            ]
        }
        return lines
    }
}

/// Search results for people.
public enum SearchView {
    /// Each hit with the text around what was found.
    public static func lines(_ document: SearchDocument, style: TextStyle = .plain) -> [String] {
        guard !document.hits.isEmpty else { return ["nothing found"] }
        let identifiers = ShortIdentifiers(document.hits.map(\.record.id))
        return document.hits.flatMap { hit in
            let id = TerminalText.padded(
                TerminalText.escaped(identifiers[hit.record.id]), to: identifiers.length)
            let kind = TerminalText.padded(TerminalText.escaped(hit.record.kind), to: 13)
            let title = TerminalText.truncated(
                TerminalText.escaped(hit.record.title), to: style.columns - identifiers.length - 15)
            let words = hit.snippet.split(whereSeparator: \.isNewline).joined(separator: " · ")
            let snippet = TerminalText.truncated(
                TerminalText.escaped(words), to: style.columns - identifiers.length - 1)
            let lines = ["\(id) \(kind) \(style.strong(title))"]
            return snippet.isEmpty
                ? lines
                : lines + [String(repeating: " ", count: identifiers.length + 1) + style.faint(snippet)]
        }
    }
}

/// The log for people.
public enum LogView {
    /// Each change: when, who, then a line for each operation.
    public static func lines(_ document: LogListDocument, style: TextStyle = .plain) -> [String] {
        guard !document.changes.isEmpty else { return ["no changes"] }
        return document.changes.flatMap { change in
            let who = TerminalText.escaped("\(change.member) \(change.node) (\(change.author))")
            let dot = TerminalText.escaped(short(dot: change.dot))
            let mark = change.effective ? "" : "  " + style.warning("not effective here")
            let head = "\(Moment.minute(change.at)) UTC  \(style.strong(who))  \(style.faint(dot))\(mark)"
            return [head] + change.operations.map { "    " + operation($0, style: style) }
        }
    }

    private static func short(dot: String) -> String {
        let parts = dot.split(separator: ":")
        return parts.count == 2 ? "\(parts[0].prefix(8)):\(parts[1])" : dot
    }

    private static func operation(_ operation: LogDocument.Operation, style: TextStyle) -> String {
        var words = [operation.operation]
        if let kind = operation.kind { words.append(kind) }
        if let record = operation.record { words.append(record) }
        var text = words.joined(separator: " ")
        if let field = operation.field { text += "  \(field)" }
        if let value = operation.value { text += " = \(RecordView.text(value))" }
        let line = TerminalText.truncated(TerminalText.escaped(text), to: style.columns - 4)
        return operation.allowed ? line : line + "  " + style.warning("refused by the rules")
    }
}

/// What verification found, for people.
public enum VerifyView {
    /// A sentence if everything verifies, else the first problems.
    public static func lines(_ document: VerifyDocument, style: TextStyle = .plain) -> [String] {
        let amount =
            [
                Quantity.plural(document.changes, "change", "changes") + " and "
                    + Quantity.plural(document.records, "record", "records"),
                document.attachments.flatMap { count in
                    count == 0
                        ? nil
                        : "; "
                            + Quantity.plural(count, "attachment hashed anew", "attachments hashed anew")
                            + ", \(Quantity.bytes(document.attachmentBytes ?? 0))"
                },
            ].compactMap { $0 }.joined()
        var lines: [String]
        if document.problems.isEmpty {
            lines = [style.good("Verified:") + " signatures, chains and visible state of \(amount)."]
        } else {
            let problems = Quantity.plural(Int64(document.problems.count), "problem", "problems")
            lines = [style.bad("DOES NOT VERIFY:") + " \(problems) in \(amount)."]
        }
        for space in document.spaces {
            let digest = space.digest.isEmpty ? "not known" : TerminalText.escaped(space.digest)
            lines.append("  space \(Quantity.short(space.id)) · digest \(digest)")
        }
        for problem in document.problems {
            let place = [problem.dot, problem.record].compactMap { $0 }.joined(separator: " ")
            let text = "\(problem.code) \(place.isEmpty ? "" : place + " ")\(problem.message)"
            lines += TerminalText.wrapped(TerminalText.escaped(text), to: style.columns - 4).map {
                "  ! \($0)"
            }
        }
        return lines
    }
}
