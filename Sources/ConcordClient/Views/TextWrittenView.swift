// What became of a text that was written, for people.

import ConcordAPI

/// What a write did, for people.
public enum TextWrittenView {
    /// The versions before and after, how much changed, and whether it met what others wrote.
    public static func lines(_ document: TextWrittenDocument) -> [String] {
        let name = "\(document.title) · \(document.id)"
        guard document.changed else {
            let same =
                document.base == document.version
                ? "" : " since version \(document.base); the current one is \(document.version)"
            return [TerminalText.escaped("nothing changed\(same): \(name) · version \(document.version)")]
        }
        var lines = [
            "written: \(name)", "version \(document.before) → \(document.version)",
            "inserted \(characters(document.inserted)), deleted \(characters(document.deleted))",
        ]
        if document.merged {
            lines += [
                "The text had moved on since version \(document.base): what you wrote is merged with what others wrote.",
                "→ concord document diff \(document.id) \(document.base) \(document.version)",
            ]
        }
        return lines.map(TerminalText.escaped)
    }

    private static func characters(_ number: Int64) -> String {
        Quantity.plural(number, "character", "characters")
    }
}
