// The contacts of the measurements as lists of values, and as what creates them here.

import ConcordModel
import ConcordStore

/// Contacts by numbers, piece by piece.
struct BenchContacts {
    static let fields = ["name", "organization", "position", "role", "email", "phone", "notes"]

    private var source = SampleContacts()

    /// The values of the next contacts, in the order of ``fields``.
    mutating func next(_ count: Int) -> [[String]] {
        source.next(count).map { contact in Self.fields.map { contact[$0] ?? "" } }
    }

    /// What creates a contact with these values.
    static func draft(_ values: [String]) -> Draft {
        [
            .create(
                kind: "contact",
                fields: zip(fields, values).map { .set(UTF8Text($0), .text(UTF8Text($1))) })
        ]
    }
}
