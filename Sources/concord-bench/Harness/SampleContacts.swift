// The records that the measurements write: contacts with values as people have them, 235 bytes on average.

import ConcordAPI
import ConcordClient
import ConcordModel
import Foundation

/// Contacts by numbers; equal numbers give equal contacts.
struct SampleContacts {
    private var random: SplitMix
    private var number = 0

    init(seed: UInt64 = 1) { random = SplitMix(state: seed) }

    /// The fields of the next contacts.
    mutating func next(_ count: Int) -> [[String: String]] { (0..<count).map { _ in next() } }

    /// Bytes of the values of a record.
    static func valueBytes(_ fields: [String: String]) -> Int {
        fields.values.reduce(0) { $0 + $1.utf8.count }
    }

    /// The fields of the next contact.
    mutating func next() -> [String: String] {
        number += 1
        let given = pick(Self.given)
        let family = pick(Self.family)
        let domain = pick(Self.domains)
        return [
            "name": "\(given) \(family)", "organization": "Ministry of \(pick(Self.ministries))",
            "position": pick(Self.positions), "role": "national focal point, \(pick(Self.areas))",
            "email": "\(given).\(family).\(number)@\(domain)".lowercased().replacing(" ", with: "-"),
            "phone": "+\(20 + random.next() % 79) \(100_000_000 + random.next() % 900_000_000)",
            "notes": "Met in \(pick(Self.cities)); speaks \(pick(Self.languages)); "
                + "file \(random.next() % 100_000_000), answers within \(1 + random.next() % 9) days.",
        ]
    }

    private mutating func pick(_ list: [String]) -> String { list[Int(random.next() % UInt64(list.count))] }

    private static let given = [
        "Amina", "Beatriz", "Chantal", "Dewi", "Elena", "Fatou", "Grace", "Hana", "Ingrid", "Josefina",
        "Kerstin", "Leila", "Marijana", "Netumbo", "Olga", "Paulina",
    ]
    private static let family = [
        "Abdullahi", "Bergström", "Castellanos", "Diop", "Eriksen", "Fernández", "García Moreno", "Horvat",
        "Ivanova", "Jakobsdóttir", "Kovačević", "Lindqvist", "Mukamana", "Nandi-Ndaitwah", "Okafor", "Pohl",
    ]
    private static let domains = ["mfa.example.org", "women.example.gov", "foreign.example.net"]
    private static let ministries = [
        "Foreign Affairs", "Gender Equality and the Family", "Defence",
        "Women, Children and Social Protection",
        "Justice and Public Order",
    ]
    private static let positions = [
        "Director General for Multilateral Affairs", "Deputy Head of Unit", "Ambassador-at-Large",
        "Senior Adviser on Women, Peace and Security",
    ]
    private static let areas = ["protection", "participation", "prevention", "relief and recovery"]
    private static let cities = ["Alicante", "Berlin", "Windhoek", "New York", "Addis Ababa", "Geneva"]
    private static let languages = ["English and French", "Arabic and English", "Spanish", "Portuguese"]
}

/// A small generator of numbers that look random (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Records that were written to a node.
struct WrittenRecords {
    /// Their ids, by number.
    let ids: [RecordID]
    /// Bytes of all their values.
    let valueBytes: Int
    /// How long writing took, all of them durable.
    let milliseconds: Double
}

extension BenchNode {
    /// Imports records of one kind, each with these fields.
    func importRecords(_ kind: String, _ records: [[String: String]]) async throws -> WrittenRecords {
        struct Line: Encodable {
            let kind: String
            let key: String
            let fields: [String: String]
        }
        let encoder = JSONEncoder()
        var lines = Data()
        for (number, fields) in records.enumerated() {
            lines += try encoder.encode(Line(kind: kind, key: "\(number)", fields: fields))
            lines.append(UInt8(ascii: "\n"))
        }
        guard !records.isEmpty else { return WrittenRecords(ids: [], valueBytes: 0, milliseconds: 0) }
        let bytes = Array(lines)
        let (milliseconds, answer) = try await Stopwatch.measureAsync {
            try await client.importLines(bytes, space: nil)
        }
        let keys = answer.document.keys
        let ids = try records.indices.map { number in
            guard let id = keys["\(number)"].flatMap({ RecordID(text: $0) }) else {
                throw BenchError("record \(number) was not imported")
            }
            return id
        }
        return WrittenRecords(
            ids: ids, valueBytes: records.reduce(0) { $0 + SampleContacts.valueBytes($1) },
            milliseconds: milliseconds)
    }
}

extension DaemonClient {
    /// Writes one field of a record.
    func set(_ field: String, of record: RecordID, to value: String) async throws {
        var assignments = FieldAssignments()
        assignments.set[field] = .string(value)
        _ = try await update(record.description, assignments, base: nil)
    }

    /// Writes one field of each of these records, several at a time; returns how long it took, in milliseconds.
    func set(_ field: String, of records: [RecordID], to value: @Sendable (Int) -> String) async throws
        -> Double
    {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, record) in records.enumerated() {
                if number >= 8 { try await group.next() }
                let value = value(number)
                group.addTask { try await self.set(field, of: record, to: value) }
            }
            try await group.waitForAll()
        }
        return start.milliseconds
    }
}
