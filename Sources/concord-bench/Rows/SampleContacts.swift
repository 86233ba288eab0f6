// The rows that are measured: contacts of eight text fields, about 235 bytes of values, as in a directory of focal
// points. They follow from their number, so every system gets the same.

import ConcordModel
import ConcordStore

/// Made-up contacts.
enum SampleContacts {
    /// The fields, in the order of ``values(_:)``.
    static let fields = ["name", "organization", "position", "role", "email", "phone", "member", "notes"]

    /// The values of contact number `number`.
    static func values(_ number: Int) -> [String] {
        let id = String(1_000_000 + number)
        return [
            "Amina Sørensen-\(id)", "Ministry of Foreign Affairs and Cooperation",
            "Deputy Director, Human Rights \(number % 97)", "national focal point",
            "focal.point.\(id)@foreign-affairs.example.org", "+34 91 555 \(id)", codes[number % codes.count],
            "Reached in the mornings; file \(id) of the networks",
        ]
    }

    /// The bytes of all values of the first `count` contacts.
    static func valueBytes(_ count: Int) -> Int {
        (0..<count).reduce(0) { $0 + values($1).reduce(0) { $0 + $1.utf8.count } }
    }

    /// What creates contact number `number`.
    static func edit(_ number: Int) -> RecordEdit {
        .create(
            kind: "contact",
            fields: zip(fields, values(number)).map { .set(UTF8Text($0), .text(UTF8Text($1))) })
    }

    private static let codes = ["ESP", "DEU", "FRA", "NAM", "CAN", "CHL", "FIN", "JPN"]
}
