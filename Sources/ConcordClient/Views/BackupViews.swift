// Backups, and what was salvaged, for people.

import ConcordAPI

/// Automatic backups for people.
public enum BackupsView {
    /// Each backup, the latest first, and when the next one is due.
    public static func lines(_ document: BackupsDocument) -> [String] {
        var lines = document.backups.map { backup in
            TerminalText.escaped(
                "\(Moment.minute(backup.at)) UTC  \(Quantity.bytes(backup.bytes))  \(backup.path)")
        }
        if lines.isEmpty { lines = [TerminalText.escaped("no backup in \(document.folder) yet")] }
        if let next = document.nextAt { lines += ["next due: \(Moment.minute(next)) UTC"] }
        return lines
    }
}

/// What was salvaged, for people.
public enum SalvageView {
    /// What the new replica was made of, what is missing, and the next step.
    public static func lines(_ document: SalvageDocument) -> [String] {
        let base = document.backup.map { "the backup \($0)" } ?? "no backup"
        var lines = [
            "The replica in \(document.home) is made anew, from \(base) and "
                + "\(Quantity.plural(document.taken, "change", "changes")) of the damaged one.",
            "  It holds \(Quantity.plural(document.changes, "change", "changes")) in "
                + "\(Quantity.plural(Int64(document.spaces), "space", "spaces")), and verifies.",
            "  Damaged: \(Quantity.plural(Int64(document.pages), "page", "pages")), "
                + "\(document.unreadablePages) of them unreadable for the disk; "
                + "\(document.brokenFrames) broken frames of the write-ahead log.",
            "  Of \(document.named) changes that it named \(document.read) were readable; "
                + "of its own \(document.ownNamed), \(document.ownRead).",
        ]
        if document.waiting > 0 {
            lines.append(
                "  \(document.waiting) salvaged changes wait for what they lack, until peers bring it.")
        }
        if document.refused > 0 {
            lines.append("  \(document.refused) changes do not verify and were left out.")
        }
        lines += document.unusable.map { "  Not used: \($0)" }
        if document.spaces == 0 {
            lines.append("  No charter was readable: join the space anew with an invite.")
        }
        lines += [
            "  The damaged files are in \(document.damaged).", "Next: concordd --home \(document.home)",
        ]
        return lines.map(TerminalText.escaped)
    }
}
