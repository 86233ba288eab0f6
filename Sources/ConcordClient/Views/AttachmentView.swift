// Attachments for people: a line each, with whether the file is on this node.

import ConcordAPI

/// Attachments for people.
public struct AttachmentView {
    private let style: TextStyle

    /// Views in this style.
    public init(style: TextStyle = .plain) { self.style = style }

    /// A table of attachments.
    public func table(_ attachments: [AttachmentDocument]) -> [String] {
        guard !attachments.isEmpty else { return ["no attachments"] }
        let identifiers = ShortIdentifiers(attachments.map(\.id))
        var table = Table([
            .fixed("ID"), .text("NAME", minimum: 12, preferred: 40), .number("SIZE"),
            .text("OWNER", minimum: 5, dispensable: 1), .text("FILE", minimum: 10),
        ])
        for attachment in attachments {
            table.append([
                identifiers[attachment.id], attachment.name, Quantity.bytes(attachment.size),
                attachment.owner,
                Self.state(attachment),
            ])
        }
        return table.lines(width: style.columns, style: style)
    }

    /// Where the file is: `here`, `elsewhere`, or how far it has come; not escaped.
    public static func state(_ attachment: AttachmentDocument) -> String {
        switch attachment.state {
        case .here: return "here"
        case .elsewhere: return "elsewhere"
        case .coming:
            if let obstacle = attachment.obstacle { return "waits: \(obstacle.message) (\(obstacle.code))" }
            let part = "\(Quantity.bytes(attachment.heldBytes)) of \(Quantity.bytes(attachment.size))"
            switch attachment.sources {
            case 0: return "\(part), waits for a node that has it"
            case 1: return "\(part), from 1 node"
            default: return "\(part), from \(attachment.sources) nodes"
            }
        }
    }
}
