// Who endorsed a document, for people: by signature and text, and as history has it.

import ConcordAPI

/// Endorsements for people.
public enum EndorsementsView {
    /// A block, empty if nobody endorsed the document.
    public static func lines(_ document: EndorsementsDocument, style: TextStyle = .plain) -> [String] {
        var lines: [String] = []
        for version in document.versions {
            let which = version.isCurrent ? style.good("this text") : style.warning("an earlier text")
            lines.append(
                "  \(which) \(Quantity.short(version.text)): \(count(version.states, version.organizations))")
            lines += wrapped(
                version.endorsers.map { "\($0.member.code) on \($0.at.prefix(10))" }.joined(separator: ", "),
                style)
        }
        if document.textMovedOn {
            lines.append("  " + style.warning("The text has moved on since it was endorsed."))
        }
        let recorded = document.recorded
        if !recorded.states.isEmpty || !recorded.organizations.isEmpty {
            let states = Int64(recorded.states.count)
            let organizations = Int64(recorded.organizations.count)
            var text = "recorded, without signatures: \(count(states, organizations))"
            if recorded.reportedStates ?? states != states
                || recorded.reportedOrganizations ?? organizations != organizations
            {
                text +=
                    "; its source reports "
                    + count(recorded.reportedStates ?? 0, recorded.reportedOrganizations ?? 0)
            }
            lines.append("  \(text)")
            lines += wrapped((recorded.states + recorded.organizations).joined(separator: ", "), style)
        }
        return lines.isEmpty ? [] : ["", style.strong("ENDORSED BY")] + lines
    }

    /// `42 States and 3 organizations`.
    static func count(_ states: Int64, _ organizations: Int64) -> String {
        let states = Quantity.plural(states, "State", "States")
        guard organizations > 0 else { return states }
        return "\(states) and \(Quantity.plural(organizations, "organization", "organizations"))"
    }

    private static func wrapped(_ text: String, _ style: TextStyle) -> [String] {
        TerminalText.wrapped(TerminalText.escaped(text), to: style.columns - 4).map { "    \($0)" }
    }
}
