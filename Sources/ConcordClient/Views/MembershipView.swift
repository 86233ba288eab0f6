// Spaces and rosters for people: who belongs to a space, who is suspended and why, who holds which office, and which
// acts wait for whose signatures, each with the command to type.

import ConcordAPI
import ConcordModel

/// Spaces and members for people.
public enum MembershipView {
    /// A table of spaces.
    public static func spaces(_ document: SpacesDocument, style: TextStyle = .plain) -> [String] {
        guard !document.spaces.isEmpty else {
            return ["none → concord space create NAME, or concord space join FILE"]
        }
        var table = Table([
            .fixed("ID"), .text("NAME", minimum: 16), .fixed("ROLE"), .number("MEMBERS"), .number("CHANGES"),
            .number("RECORDS"), .number("CONFLICTS"), .number("ADMIT"), .number("SUSPEND"),
        ])
        for space in document.spaces {
            let role = space.standing == "suspended" ? "suspended" : space.role
            table.append([
                String(space.id.prefix(13)), space.name, role ?? "not yet admitted",
                Quantity.count(space.members), Quantity.count(space.changes), Quantity.count(space.records),
                Quantity.lack(space.conflicts),
                String(space.admissionThreshold), String(space.suspensionThreshold),
            ])
        }
        return table.lines(style: style)
    }

    /// The roster with offices, suspensions and pending procedures.
    public static func members(_ document: MembersDocument, style: TextStyle = .plain) -> [String] {
        var lines = [
            style.strong(TerminalText.escaped(document.spaceName))
                + style.faint(
                    " · \(Quantity.short(document.space)) · \(signatures(document.admissionThreshold)) admit or "
                        + "reinstate, \(signatures(document.suspensionThreshold)) suspend"), "",
        ]
        lines += table(document, style: style)
        lines += offices(document, style: style)
        lines += suspensions(document, style: style)
        lines += keys(document, style: style)
        return lines + procedures(document.procedures, style: style)
    }

    private static func signatures(_ count: UInt64) -> String {
        count == 1 ? "1 signature" : "\(count) signatures"
    }

    private static func table(_ document: MembersDocument, style: TextStyle) -> [String] {
        var table = Table([
            .text("CODE", minimum: 6), .text("NAME", minimum: 12, preferred: 24), .fixed("ROLE"),
            .fixed("STANDING"), .fixed("FOUNDER"), .text("OFFICES", minimum: 8, dispensable: 2),
            .text("NODES", minimum: 8, dispensable: 1), .fixed("FINGERPRINT"),
        ])
        for member in document.members {
            table.append([
                member.code, member.name, member.role, member.standing, member.founder ? "yes" : "",
                member.offices.joined(separator: ", "), member.nodes.joined(separator: ", "),
                Quantity.fingerprint(String(member.fingerprint.prefix(16))),
            ])
        }
        return table.lines(style: style)
    }

    private static func offices(_ document: MembersDocument, style: TextStyle) -> [String] {
        let held = document.offices.filter { !$0.holders.isEmpty }
        guard !held.isEmpty else { return [] }
        var lines = ["", style.strong("OFFICES")]
        for office in held {
            let word = TerminalText.padded(TerminalText.escaped(office.office), to: 12)
            let holders = office.holders.map { "\($0.code) \($0.name)\(absence($0, document))" }
            lines.append("  \(word) \(TerminalText.escaped(holders.joined(separator: ", ")))")
        }
        let doubled = Set(held.map(\.office)).filter { name in held.filter { $0.office == name }.count > 1 }
        for name in doubled.sorted() {
            let word = TerminalText.escaped(name)
            lines.append(
                "  " + style.warning("\(word) was given twice at the same time")
                    + " → concord member appoint \(word) CODE…")
        }
        return lines
    }

    /// Why the holder of an office cannot fill it.
    private static func absence(_ holder: PartyDocument, _ document: MembersDocument) -> String {
        guard let line = document.members.first(where: { $0.id == holder.id }) else { return " (has left)" }
        return line.suspensions.isEmpty ? "" : " (suspended)"
    }

    private static func suspensions(_ document: MembersDocument, style: TextStyle) -> [String] {
        var lines: [String] = []
        for member in document.members {
            for suspension in member.suspensions {
                let who = style.warning(TerminalText.escaped("\(member.code) \(member.name)"))
                let reason = suspension.reason.isEmpty ? "no reason given" : "“\(suspension.reason)”"
                lines.append(
                    "  \(who) since \(Moment.minute(suspension.since)) UTC, by \(names(suspension.signers))")
                lines += wrapped(reason, style)
                lines += wrapped("of its changes stay: \(cutOffs(suspension.keeps, member))", style)
                lines.append(
                    "    → concord member reinstate \(TerminalText.escaped(handle(member, document)))")
            }
        }
        return lines.isEmpty ? [] : ["", style.strong("SUSPENDED")] + lines
    }

    /// `3f2a0b11 up to 40 of 57`, for each replica.
    private static func cutOffs(_ keeps: [String: UInt64], _ member: MembersDocument.Member) -> String {
        let parts = member.replicas.map { line in
            let cut = keeps[line.replica] ?? 0
            let kept = line.effective > cut ? ", kept up to \(line.effective) since others built on it" : ""
            return "\(line.replica.prefix(8)) (\(line.node)) up to \(cut) of \(line.sequence)\(kept)"
        }
        return parts.isEmpty ? "none is held" : parts.joined(separator: "; ")
    }

    /// Keys that were rotated, records that were taken over, nodes that were revoked.
    private static func keys(_ document: MembersDocument, style: TextStyle) -> [String] {
        var lines: [String] = []
        for member in document.members {
            let code = TerminalText.escaped(member.code)
            if !member.formerAuthorities.isEmpty {
                let present = member.authorities.map { Quantity.fingerprint(String($0.prefix(16))) }
                lines.append("  \(code)'s present authority key: \(present.joined(separator: " and "))")
            }
            for predecessor in member.predecessors {
                let former = document.members.first { $0.id == predecessor }?.code
                let name = TerminalText.escaped(
                    former ?? Quantity.fingerprint(String(predecessor.prefix(16))))
                lines.append("  \(code) has taken over the records of \(name)")
            }
            for node in member.revokedNodes {
                lines.append(
                    "  \(code) has revoked its node \(Quantity.fingerprint(String(node.prefix(16))))")
            }
        }
        return lines.isEmpty ? [] : ["", style.strong("KEYS AND NODES")] + lines
    }

    // MARK: Procedures

    /// The acts that wait for signatures.
    public static func procedures(_ procedures: [ProcedureDocument], style: TextStyle = .plain) -> [String] {
        guard !procedures.isEmpty else { return [] }
        var lines = ["", style.strong("WAITING FOR SIGNATURES")]
        for procedure in procedures {
            let summary = style.warning(TerminalText.escaped(procedure.summary))
            lines.append(
                "  \(summary)  \(style.faint(TerminalText.escaped(String(procedure.act.prefix(16)))))")
            if let reason = procedure.reason, !reason.isEmpty { lines += wrapped("“\(reason)”", style) }
            let signed = procedure.signatures.map {
                "\($0.member.code) on \(Moment.minute($0.at)) UTC"
            }
            lines += wrapped(
                "signed by \(procedure.signatures.count) of \(procedure.threshold): "
                    + signed.joined(separator: ", "), style)
            lines += wrapped(left(procedure), style)
            lines.append("    → \(TerminalText.escaped(procedure.command))")
        }
        return lines
    }

    private static func left(_ procedure: ProcedureDocument) -> String {
        let codes = procedure.maySign.map(\.code).joined(separator: ", ")
        guard procedure.isReachable else {
            return "\(procedure.missing) more must sign, and only \(procedure.maySign.count) members may"
                + (codes.isEmpty ? "" : ": \(codes)")
        }
        return "\(procedure.missing) more must sign of \(codes)" + handOver(procedure.handOver)
    }

    private static func handOver(_ holders: [PartyDocument]) -> String {
        guard !holders.isEmpty else { return "" }
        let codes = holders.map(\.code).joined(separator: ", ")
        return holders.count == 1
            ? "; or \(codes) alone, who holds the office"
            : "; or \(codes), who hold the office, and nobody else"
    }

    /// What became of a signature.
    public static func signed(_ act: ActDocument, style: TextStyle = .plain) -> [String] {
        var lines = ["Signed: \(TerminalText.escaped(act.summary))  \(style.faint(Quantity.short(act.act)))"]
        if act.inForce {
            lines.append(style.good("It is in force."))
        } else if act.missing == 0 {
            lines.append(
                style.warning("It has its signatures and is without effect; see concord member list."))
        } else {
            let who = act.maySign.map(\.code).joined(separator: ", ")
            let signers = act.signers.map(\.code).joined(separator: ", ")
            lines += TerminalText.wrapped(
                TerminalText.escaped(
                    "Signed by \(act.signers.count) of \(act.threshold): \(signers). "
                        + "\(act.missing) more must sign"
                        + (who.isEmpty ? ", and nobody else may" : " of \(who)")
                        + handOver(act.handOver) + "."), to: style.columns)
        }
        return lines
            + act.remarks.flatMap {
                TerminalText.wrapped(TerminalText.escaped("Note: \($0)."), to: style.columns)
            }
    }

    // MARK: Words

    /// How a member is typed: its code, or the beginning of its fingerprint where several bear the code.
    static func handle(_ member: MembersDocument.Member, _ document: MembersDocument) -> String {
        document.members.filter { $0.code == member.code }.count > 1
            ? String(member.id.prefix(16)) : member.code
    }

    private static func names(_ parties: [PartyDocument]) -> String {
        TerminalText.escaped(parties.map { "\($0.code) \($0.name)" }.joined(separator: ", "))
    }

    private static func wrapped(_ text: String, _ style: TextStyle) -> [String] {
        TerminalText.wrapped(TerminalText.escaped(text), to: style.columns - 4).map { "    \($0)" }
    }
}
