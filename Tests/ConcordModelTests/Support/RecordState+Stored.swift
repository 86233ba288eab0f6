// A record's state in the two parts that a store keeps of it.

@testable import ConcordModel

extension RecordState {
    /// What is displayed, and the rest.
    var parts: (json: [UInt8], stored: [UInt8]) {
        let kind =
            Vocabulary.kind(kind)
            ?? KindDescription(name: kind, isOwned: false, parent: nil, titleField: "name", fields: [])
        let display = RecordDisplay(self, kind: kind)
        return (display.json, stored(beside: display))
    }

    /// The state as it comes back from its parts.
    var reloaded: RecordState {
        get throws { try RecordState(stored: parts.stored, json: parts.json, id: id) }
    }
}
