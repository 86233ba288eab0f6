// `concord status` for people, rendered from the status document alone, so that the two cannot disagree. The
// verdict comes first, then what needs attention, the worst first; `·` is zero and `?` is unknown.

import ConcordAPI
import Foundation

/// The status for people.
public struct StatusView {
    private let status: StatusDocument
    private let style: TextStyle
    /// Whether all peers are shown, or only the first rows.
    private let showsAll: Bool
    private var width: Int { style.columns }

    /// A view of `status`.
    public init(_ status: StatusDocument, style: TextStyle = .plain, showsAll: Bool = false) {
        self.status = status
        self.style = style
        self.showsAll = showsAll
    }

    /// Whether the daemon runs; a document read from the files of a stopped one has no uptime.
    private var isRunning: Bool { status.node.uptimeSeconds != nil }

    /// The lines of the view.
    public func lines() -> [String] {
        var blocks = [[header, verdict], attention, facts]
        blocks.append(PeerTable(status, style: style).lines(limit: showsAll ? nil : ClientLimits.statusRows))
        if showsAll { blocks.append(addresses) }
        return Array(blocks.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    private var header: String {
        let node = status.node
        let name = TerminalText.escaped(
            "\(node.memberName) · \(node.member) · node \(node.name) · \(Quantity.short(node.id))")
        let up = node.uptimeSeconds.map { "up \(Quantity.span(seconds: $0))" } ?? "not reached"
        let version = TerminalText.escaped("concord \(node.version), protocol \(node.protocol), \(up)")
        let space = width - TerminalText.width(name) - TerminalText.width(version)
        guard space > 1 else { return TerminalText.truncated(name, to: width) }
        return style.strong(name) + String(repeating: " ", count: space) + version
    }

    private var verdict: String {
        guard isRunning else {
            return style.bad("The daemon cannot be reached.")
                + " This is what the replica held when it was last written; nothing is exchanged."
        }
        let summary = StepSummary(status)
        let step: String
        switch summary.members {
        case 0: step = "No other member is known here yet."
        case summary.inStep: step = "In step with all \(summary.members) members."
        default: step = "In step with \(summary.inStep) of \(summary.members) members."
        }
        let indirect = summary.indirect == 0 ? "" : " \(summary.indirect) known only through others."
        switch status.verdict {
        case .integrityFailure:
            return style.bad("INTEGRITY FAILURE.") + " Do not write; see below. " + step + indirect
        case .needsAPerson: return style.warning(step) + indirect + " \(needs)"
        case .degraded: return style.warning(step) + indirect + " \(needs)"
        case .inStep: return style.good(step) + indirect
        }
    }

    private var needs: String {
        let number = status.attention.count { $0.severity != .notice }
        switch number {
        case 0: return ""
        case 1: return "1 thing needs attention."
        default: return "\(number) things need attention."
        }
    }

    // MARK: Attention

    private var attention: [String] {
        guard !status.attention.isEmpty else { return [] }
        let order: [StatusDocument.Attention.Severity] = [.integrity, .person, .degraded, .notice]
        let sorted = order.flatMap { severity in status.attention.filter { $0.severity == severity } }
        return [style.strong("ATTENTION")] + sorted.flatMap(lines(of:))
    }

    private func lines(of item: StatusDocument.Attention) -> [String] {
        let mark: String
        switch item.severity {
        case .integrity: mark = style.bad("!!")
        case .person: mark = style.bad(item.code == "E-1006" ? " ~" : " !")
        case .degraded: mark = style.warning(" !")
        case .notice: mark = " ~"
        }
        let who = who(item)
        let indent = 4 + TerminalText.width(who)
        let action = item.action ?? "concord explain \(item.code)"
        let next = TerminalText.escaped("→ \(action)")
        let text = action.contains(item.code) ? item.message : "\(item.message) (\(item.code))"
        var lines = TerminalText.wrapped(TerminalText.escaped(text), to: width - indent)
        let end = indent + TerminalText.width(lines[lines.count - 1])
        let start = max(end + 2, min(74, width - TerminalText.width(next)))
        if start + TerminalText.width(next) <= width {
            lines[lines.count - 1] += String(repeating: " ", count: start - end) + next
        } else {
            lines += TerminalText.wrapped(next, to: width - indent)
        }
        return lines.enumerated().map { index, line in
            index == 0 ? " \(mark) \(who)\(line)" : String(repeating: " ", count: indent) + line
        }
    }

    /// Code and name of the member that an item is about; the code alone where the message begins with the
    /// name.
    private func who(_ item: StatusDocument.Attention) -> String {
        guard let member = item.member else { return "" }
        let known = status.peers.first { $0.member == member && $0.memberName != nil }?.memberName
        let name = member == status.node.member ? status.node.memberName : known
        guard let name, !item.message.hasPrefix(name) else {
            return TerminalText.padded(TerminalText.escaped(member), to: 3) + "  "
        }
        return TerminalText.padded(TerminalText.escaped("\(member) \(name)"), to: 15) + " "
    }

    // MARK: Facts

    private var facts: [String] {
        var lines: [String] = []
        for (number, space) in status.spaces.enumerated() {
            let name = status.spaces.count > 1 ? TerminalText.escaped("\(space.name): ") : ""
            lines += labelled(number == 0 ? "OUR CHANGES" : "", name + ownChanges(space))
        }
        for (number, space) in status.spaces.enumerated() {
            let name = status.spaces.count > 1 ? TerminalText.escaped("\(space.name): ") : ""
            lines += labelled(number == 0 ? "DATA" : "", name + data(space))
        }
        if status.spaces.isEmpty {
            lines += labelled("DATA", "no space yet → concord space create NAME, or concord space join FILE")
        }
        lines += labelled(status.spaces.isEmpty ? "DISK" : "", disk)
        lines += labelled("SAFETY", safety)
        if !status.refusals.isEmpty { lines += labelled("REFUSED", refusals) }
        return lines
    }

    private func ownChanges(_ space: StatusDocument.Space) -> String {
        guard let replica = space.replica, let last = space.versionVector[replica] else {
            return "none written here yet · \(Quantity.count(space.changes)) held in all"
        }
        let held = space.heldByAll.map { $0 == 0 ? "·" : String($0) } ?? "?"
        return "last \(last) · held by all up to \(held) · \(Quantity.count(space.changes)) held in all"
    }

    private func data(_ space: StatusDocument.Space) -> String {
        var kinds: [String] = []
        for (kind, plural) in Self.plurals {
            if let number = space.kinds[kind], number > 0 {
                kinds.append("\(plural) \(Quantity.count(number))")
            }
        }
        for (kind, number) in space.kinds.sorted(by: { $0.key < $1.key })
        where number > 0 && !Self.plurals.contains(where: { $0.0 == kind }) {
            kinds.append("\(TerminalText.escaped(kind)) \(Quantity.count(number))")
        }
        return kinds.isEmpty ? "no records yet" : kinds.joined(separator: " · ")
    }

    private static let plurals = [
        ("contact", "contacts"), ("meeting", "meetings"), ("agenda_item", "agenda items"),
        ("participation", "participants"), ("document", "documents"), ("attachment", "attachments"),
        ("member", "profiles"),
    ]

    private var disk: String {
        let blobs =
            status.storage.blobBytes == 0 ? "" : " · attachments \(Quantity.bytes(status.storage.blobBytes))"
        let free = status.storage.freeBytes.map(Quantity.bytes) ?? "?"
        return "database \(Quantity.bytes(status.storage.databaseBytes))\(blobs) · disk free \(free)"
    }

    private var safety: String {
        var parts: [String] = []
        if let last = status.backup.lastAt {
            let verified = status.backup.verified ? "verified" : "not verified"
            parts.append("backup \(Moment.relative(last, now: status.at)) UTC, \(verified)")
        } else {
            parts.append("no backup yet → concord backup create FILE")
        }
        for space in status.spaces {
            let equal = status.peers.count { peer in
                peer.state == .connected
                    && peer.spaces.contains { $0.id == space.id && $0.theyLack == 0 && $0.weLack == 0 }
            }
            let others = equal == 0 ? "" : ", equal on \(equal)"
            let digest = space.digest.isEmpty ? "?" : Quantity.short(space.digest)
            parts.append("digest \(digest)\(others)")
        }
        parts.append("certificate \(certificate)")
        return parts.joined(separator: " · ")
    }

    private var certificate: String {
        let days = status.node.certificate.daysLeft
        return days < 0 ? "expired" : "good for \(Quantity.plural(days, "day", "days"))"
    }

    private var refusals: String {
        let parts = status.refusals.map { refusal in
            TerminalText.escaped("\(refusal.code) ×\(refusal.count), last from \(refusal.lastAddress)")
        }
        return "since the start: " + parts.joined(separator: " · ")
    }

    private var addresses: [String] {
        let listening = status.node.listening.map(TerminalText.escaped).joined(separator: ", ")
        var lines = labelled("LISTENING", listening.isEmpty ? "nowhere: this node dials out only" : listening)
        if let proxy = status.node.proxy {
            lines += labelled("PROXY", "dials by the HTTP proxy \(TerminalText.escaped(proxy))")
        }
        for space in status.spaces {
            lines += labelled("SPACE", TerminalText.escaped("\(space.name) · id \(space.id)"))
            lines += labelled("", "digest \(TerminalText.escaped(space.digest))")
        }
        for peer in status.peers {
            guard let error = peer.lastError else { continue }
            let who = peer.member ?? peer.address ?? "?"
            let text =
                "\(who): \(error.message) (\(error.code)), \(Moment.relative(error.at, now: status.at)) UTC"
            lines += labelled("LAST ERROR", TerminalText.escaped(text))
        }
        return lines
    }

    /// A label in the first 14 columns and text, already escaped, in the others, broken between its items.
    private func labelled(_ label: String, _ text: String) -> [String] {
        let width = width - 14
        var lines: [String] = []
        for item in text.components(separatedBy: " · ") {
            if let last = lines.last, TerminalText.width(last) + 5 + TerminalText.width(item) <= width {
                lines[lines.count - 1] = last + " · " + item
            } else {
                if !lines.isEmpty { lines[lines.count - 1] += " ·" }
                lines += TerminalText.wrapped(item, to: width - 2)
            }
        }
        return lines.enumerated().map { index, line in
            let label = TerminalText.padded(index == 0 ? label : "", to: 14)
            return style.strong(label) + line
        }
    }
}
