// The names of kinds and fields that stand in changes as numbers: a change of one field would otherwise be half names.
// The table belongs to the protocol's level and is never shortened or reordered; names that are not in it, of later
// vocabularies, stand as text. Every name has exactly one form, since what is written is hashed.

import CBOR

/// Numbers for names.
enum NameTable {
    /// The names by their numbers; the most frequent first, for they take one byte.
    static let names: [UTF8Text] = [
        "name", "title", "member", "contact", "meeting", "document", "participation", "agenda_item", "role",
        "email", "phone", "position", "organization", "areas", "languages", "notes", "status", "kind", "body",
        "order", "capacity", "date", "starts", "ends", "city", "country", "venue", "chair", "organizers",
        "speakers", "adopted", "circulated", "symbol", "original_language", "distribution",
        "annexes", "endorsers", "reported_states", "reported_organizations", "points", "code", "type",
        "standing", "website", "addresses", "source_space", "source_record", "source_version", "shared_by",
        "shared_at", "attachment", "media_type", "size", "sha256", "blob", "commitment", "practice",
        "programme", "notice",
    ]

    /// The number of a name; nil if it stands as text.
    static func number(_ name: UTF8Text) -> Int? {
        var text = name.string
        return text.withUTF8 { utf8 in
            guard let first = utf8.first, let last = utf8.last else { return nil }
            let candidates = buckets[bucket(utf8.count, first, last)]
            return candidates.first { $0.bytes.elementsEqual(utf8) }?.number
        }
    }

    private struct Candidate {
        let bytes: [UInt8]
        let number: Int
    }

    /// The names by length, first and last byte, which almost tell them apart.
    private static let buckets: [[Candidate]] = {
        var buckets = [[Candidate]](repeating: [], count: 256)
        for (number, name) in names.enumerated() {
            let bytes = Array(name.string.utf8)
            guard let first = bytes.first, let last = bytes.last else { continue }
            let place = bucket(bytes.count, first, last)
            buckets[place].append(Candidate(bytes: bytes, number: number))
        }
        return buckets
    }()

    private static func bucket(_ count: Int, _ first: UInt8, _ last: UInt8) -> Int {
        (count &* 37 &+ Int(first) &* 11 &+ Int(last) &* 5) & 255
    }
}

extension CBORWriter {
    /// Writes a name of a kind or field: its number, or itself if it has none.
    mutating func name(_ name: UTF8Text) {
        if let number = NameTable.number(name) { unsigned(UInt64(number)) } else { text(name.string) }
    }
}

extension CBORReader {
    /// Reads a name of a kind or field, which must be in its one form.
    mutating func name() throws -> UTF8Text {
        if try nextType() == .unsigned {
            let number = try unsigned(upTo: Limits.changeOperations)
            guard NameTable.names.indices.contains(number) else {
                throw ConcordError(.malformedChange, "no name has the number \(number)")
            }
            return NameTable.names[number]
        }
        let name = UTF8Text(try text(upTo: Limits.nameBytes))
        guard NameTable.number(name) == nil else {
            throw ConcordError(.malformedChange, "the name \(name) stands as text instead of its number")
        }
        return name
    }
}
