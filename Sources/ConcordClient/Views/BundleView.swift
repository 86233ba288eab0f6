// Bundles for people: what was made, what a file is, what it brought.

import ConcordAPI

/// Bundles for people.
public enum BundleView {
    /// What was made, and where it is.
    public static func lines(_ bundle: BundleExportDocument, files: [String], style: TextStyle = .plain)
        -> [String]
    {
        var lines: [String] = []
        for (volume, file) in zip(bundle.volumes, files) {
            lines.append(
                TerminalText.escaped(
                    "\(file) · \(Quantity.bytes(volume.bytes)) · \(contents(volume.changes, volume.receipts, volume.files))"
                ))
        }
        let manner = bundle.encrypted ? "encrypted" : "NOT encrypted: whoever finds it can read it"
        let names = bundle.recipients.map {
            ($0.member ?? String($0.memberId.prefix(8))) + ($0.node.map { " \($0)" } ?? "")
        }
        lines.append(
            TerminalText.escaped("for \(names.joined(separator: ", ")), of “\(bundle.spaceName)”") + " · "
                + (bundle.encrypted ? manner : style.warning(manner)))
        for omission in bundle.omitted {
            lines.append(
                style.warning(
                    TerminalText.escaped("left out: \(omission.reason.message) (\(omission.reason.code))")))
        }
        if bundle.absentFiles > 0 {
            lines.append(
                "\(Quantity.plural(bundle.absentFiles, "file is", "files are")) not on this node and did not go along"
            )
        }
        if bundle.earlierFiles > 0 {
            lines.append(
                "\(Quantity.plural(bundle.earlierFiles, "file", "files")) of records that are known to be there did not go along → --all-files"
            )
        }
        return lines
    }

    /// What a file is.
    public static func lines(_ bundle: BundleDocument, style: TextStyle = .plain) -> [String] {
        let recipients = bundle.recipients.map { recipient in
            (recipient.member ?? String(recipient.memberId.prefix(8)))
                + (recipient.key.map { " (key \($0.prefix(16)))" } ?? "")
        }
        var rows = [
            ("bundle", "\(bundle.bundle), volume \(bundle.volume) of \(bundle.volumes)"),
            ("space", "\(bundle.spaceName.map { "\($0), " } ?? "not held here: ")\(bundle.space.prefix(16))"),
            (
                "exporter",
                "\(bundle.exporter.member) \(bundle.exporter.node), \(Moment.minute(bundle.createdAt)) UTC; signature verified"
            ),
            ("for", recipients.joined(separator: ", ")),
            (
                "holds",
                "\(contents(bundle.changes, bundle.receipts, bundle.files)) in \(Quantity.bytes(bundle.bytes))"
            ),
            ("encrypted", bundle.encrypted ? "yes" : "no"),
        ]
        if let unseen = bundle.unseen {
            rows.append(("new here", Quantity.plural(unseen, "change", "changes")))
        }
        var lines = rows.map { TerminalText.padded($0.0, to: 10) + TerminalText.escaped($0.1) }
        if let lacking = bundle.lacking, lacking > 0 {
            let first = bundle.volume > 1 ? " → import the volumes before first" : ""
            lines.append(
                style.warning(
                    "builds on \(Quantity.plural(lacking, "change", "changes")) that are not here\(first)"))
        }
        if let obstacle = bundle.obstacle {
            lines.append(
                style.warning(
                    TerminalText.escaped("cannot be imported here: \(obstacle.message) (\(obstacle.code))")))
        }
        return lines
    }

    /// What a file did not bring, and why.
    public static func refusal(_ file: String, _ error: ErrorDocument.Body, style: TextStyle = .plain)
        -> [String]
    {
        [style.warning(TerminalText.escaped("\(file): \(error.message) (\(error.code))"))]
            + (error.action.map { ["  Next: \(TerminalText.escaped($0))"] } ?? [])
    }

    /// What a file brought.
    public static func line(_ document: BundleImportDocument, file: String) -> String {
        let bundle = document.bundle
        let volume = bundle.volumes > 1 ? ", volume \(bundle.volume) of \(bundle.volumes)," : ""
        let brought =
            document.applied + document.receipts + document.files == 0
            ? "brought nothing new"
            : "brought \(contents(document.applied, document.receipts, document.files))"
        return TerminalText.escaped(
            "\(file)\(volume) from \(bundle.exporter.member) \(bundle.exporter.node) \(brought)")
    }

    private static func contents(_ changes: Int64, _ receipts: Int64, _ files: Int64) -> String {
        [
            Quantity.plural(changes, "change", "changes"), Quantity.plural(receipts, "receipt", "receipts"),
            Quantity.plural(files, "file", "files"),
        ].joined(separator: ", ")
    }
}
