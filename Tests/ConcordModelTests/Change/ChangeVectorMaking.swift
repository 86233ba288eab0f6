// Makes the history of Protocol/vectors/changes.json: a founder's two nodes write a contact and a meeting with an
// agenda item, disagree, delete and restore, and one endorses an admission.

import CBOR
import ConcordCrypto
import ConcordModel

extension ChangeVectors {
    static func make() throws -> ChangeVectors {
        var maker = try VectorMaker()
        try maker.writeHistory()
        return ChangeVectors(
            description:
                "Stored and canonical forms, hashes and signatures of changes (Protocol/changes.md). "
                + "Bytes are hexadecimal. The private keys are public: for tests only.",
            keys: Keys(authority: TestKeys.pem(0), nodes: [TestKeys.pem(1), TestKeys.pem(2)]),
            charter: hexadecimal(maker.charter.encoded), space: maker.charter.space.description,
            member: maker.founder.id.description, changes: maker.changes,
            erased: try maker.erased(), refused: maker.refused())
    }
}

private struct VectorMaker {
    let founder: TestMember
    let charter: Charter
    private(set) var changes: [ChangeVectors.ChainedChange] = []
    private var heads: [ReplicaID: (sequence: UInt64, hash: Digest)] = [:]
    private var hashes: [Dot: Digest] = [:]
    private var keys: [ReplicaID: PrivateKey] = [:]
    private var bindings: [ReplicaID: Binding] = [:]
    private let madrid: ReplicaID
    private let oslo: ReplicaID
    private var start: Int64 { 1_764_000_000_000 }

    init() throws {
        founder = try TestMember(0)
        charter = try Charter(
            name: "Vectors", timestamp: 1_763_999_999_000, founders: [founder.statement],
            admissionThreshold: 1,
            suspensionThreshold: 2)
        let nodes = [(1, "madrid-1", UInt64(0x0011_2233_4455_6677)), (2, "oslo-1", 0xffee_ddcc_bbaa_9988)]
        var replicas: [ReplicaID] = []
        for (index, name, nonce) in nodes {
            let key = try TestKeys.key(index)
            let certificate = try founder.node(name, key: key)
            let binding = Binding(
                certificate: certificate.der, member: founder.id, nonce: Bytes16(high: nonce, low: ~nonce))
            let replica = ReplicaID(
                space: charter.space, member: founder.id, node: NodeID(certificate: certificate),
                nonce: binding.nonce)
            replicas.append(replica)
            keys[replica] = key
            bindings[replica] = binding
        }
        (madrid, oslo) = (replicas[0], replicas[1])
    }

    mutating func writeHistory() throws {
        try bind(madrid, "madrid-1")
        let contact = id("contact", madrid, 2, 0)
        try append(
            "a contact with registers and sets", madrid,
            [
                Entry(
                    record: contact,
                    operations: [
                        .create(kind: "contact", parent: nil),
                        .set(field: "name", value: .text("Ana Ibáñez"), replacing: []),
                        .set(field: "phone", value: .text("+34 91 000 00 00"), replacing: []),
                        .add(field: "languages", element: .text("es"), replacing: []),
                        .add(field: "languages", element: .text("fr"), replacing: []),
                    ])
            ])
        try bind(oslo, "oslo-1")
        let meeting = id("meeting", oslo, 2, 0)
        try append(
            "a meeting and an agenda item below it, after what the other node wrote", oslo,
            [
                Entry(
                    record: meeting,
                    operations: [
                        .create(kind: "meeting", parent: nil),
                        .set(field: "title", value: .text("第一次会议"), replacing: []),
                        .set(field: "speakers", value: .integer(-3), replacing: []),
                    ]),
                Entry(
                    record: id("agenda_item", oslo, 2, 1),
                    operations: [
                        .create(kind: "agenda_item", parent: meeting),
                        .set(field: "title", value: .text("Opening"), replacing: []),
                    ]),
            ], after: [Dot(madrid, 2)])
        let contactValues = [Dot(madrid, 2)]
        try append(
            "values replaced, an element taken out, bytes as a value", madrid,
            [
                Entry(
                    record: contact,
                    operations: [
                        .set(field: "phone", value: .empty, replacing: contactValues),
                        .remove(field: "languages", element: .text("fr"), replacing: contactValues),
                        .set(field: "notes", value: .bytes([0x00, 0xff]), replacing: []),
                    ])
            ])
        try append(
            "the contact deleted as far as it was seen", oslo,
            [Entry(record: contact, operations: [.delete(seen: VersionVector(contactValues))])])
        try append(
            "the delete taken back; an admission endorsed; an operation of a later level", madrid,
            [
                Entry(record: contact, operations: [.restore(deletes: [Dot(oslo, 3)])]),
                Entry(record: nil, operations: [.act(try admission())]),
                Entry(
                    record: meeting,
                    operations: [.unknown(header: [0x82, 0x18, 0x2a, 0x80], value: [0x61, 0x78])]),
            ], after: [Dot(oslo, 3)])
    }

    private func admission() throws -> SignedAct {
        let act = Admission(
            space: charter.space, subject: try TestMember(3).statement, role: .observer, predecessor: nil,
            timestamp: start)
        return try SignedAct(act: act.encoded, key: founder.key)
    }

    private func timestamp(_ sequence: UInt64) -> Int64 { start + Int64(sequence) * 1000 }

    private func id(_ kind: UTF8Text, _ replica: ReplicaID, _ sequence: UInt64, _ index: Int) -> RecordID {
        RecordID(
            space: charter.space, kind: kind, dot: Dot(replica, sequence), index: index,
            timestamp: timestamp(sequence))
    }

    private mutating func bind(_ replica: ReplicaID, _ name: String) throws {
        try append(
            "the first change of \(name), which binds the replica to the node", replica,
            [Entry(record: nil, operations: [.bind(bindings[replica]!)])])
    }

    private mutating func append(
        _ note: String, _ replica: ReplicaID, _ entries: [Entry], after dependencies: [Dot] = []
    ) throws {
        let root = (sequence: UInt64(0), hash: Change.chainRoot(space: charter.space, replica: replica))
        let previous = heads[replica] ?? root
        let dot = Dot(replica, previous.sequence + 1)
        let change = Change(
            timestamp: timestamp(dot.sequence),
            dependencies: dependencies.map { Dependency($0, hash: hashes[$0]!) },
            seed: Bytes16(high: replica.value.low, low: dot.sequence), authorLabel: "ana@example.org",
            entries: entries)
        try change.checkWellFormed(space: charter.space, dot: dot)
        let context = ChangeContext(
            space: charter.space, dot: dot, previous: previous.hash,
            dependencies: dependencies.map { hashes[$0]! })
        let hash = change.hash(in: context)
        changes.append(
            ChangeVectors.ChainedChange(
                note: note, replica: replica.description, sequence: dot.sequence,
                previous: previous.hash.description,
                dependencies: dependencies.map { .init(dot: $0.description, hash: hashes[$0]!.description) },
                stored: hexadecimal(change.encoded()),
                canonical: hexadecimal(change.canonicalForm(in: context)),
                hash: hash.description,
                signature: hexadecimal(try keys[replica]!.sign(hash, as: .change).bytes),
                records: entries.compactMap {
                    if case .create? = $0.operations.first { $0.record?.description } else { nil }
                }, branch: ReplicaID(branchBeginningWith: hash).description))
        heads[replica] = (dot.sequence, hash)
        hashes[dot] = hash
    }

    // MARK: Erased forms

    func erased() throws -> [ChangeVectors.Erased] {
        let cases: [(String, ReplicaID, UInt64, [Int])] = [
            ("all that the contact was created with", madrid, 2, [0]),
            ("the meeting, but not the agenda item below it", oslo, 2, [0]),
            ("the meeting and the agenda item", oslo, 2, [0, 1]),
            (
                "an operation of a later level, beside an act and a restore, which have no values", madrid, 4,
                [2]
            ),
        ]
        return try cases.map { note, replica, sequence, entries in
            let full = changes.first { $0.replica == replica.description && $0.sequence == sequence }!
            let change = try Change(encoded: bytes(hexadecimal: full.stored)!).erasing(entries: Set(entries))
            let stored = change.encoded()
            return ChangeVectors.Erased(
                note: note, replica: full.replica, sequence: sequence, entries: entries,
                stored: hexadecimal(stored),
                counted: change.countedBytes(stored.count))
        }
    }

    // MARK: What must be refused

    func refused() -> [ChangeVectors.Refused] {
        let dot = Dot(madrid, 9)
        let record = id("contact", madrid, 2, 0)
        func set(_ value: Value = .text("x"), replacing: [Dot] = []) -> Operation {
            .set(field: "name", value: value, replacing: replacing)
        }
        func stored(_ operations: [Operation], _ dependencies: [Dot] = [], record: RecordID? = record)
            -> [UInt8]
        {
            Change(
                timestamp: timestamp(9), dependencies: dependencies.map(Dependency.init(some:)),
                seed: Bytes16(high: 1, low: 2),
                authorLabel: "",
                entries: [Entry(record: record, operations: operations)]
            ).encoded()
        }
        let sound = stored([set()])
        let long = UTF8Text(String(repeating: "x", count: Limits.valueBytes + 1))
        let cases: [(String, [UInt8], ErrorCode)] = [
            ("nothing", [], .malformedChange),
            ("the last byte is missing", Array(sound.dropLast()), .malformedChange),
            ("a byte too many", sound + [0], .malformedChange),
            ("a timestamp of five bytes", Self.shortTimestamp(sound), .malformedChange),
            (
                "dependencies in descending order", stored([set()], [Dot(oslo, 2), Dot(oslo, 1)]),
                .malformedChange
            ),
            ("a dependency of the own chain", stored([set()], [Dot(madrid, 3)]), .malformedChange),
            ("a dot of sequence 0", stored([set(replacing: [Dot(oslo, 0)])]), .malformedChange),
            ("two writes to one register", stored([set(), set()]), .malformedChange),
            ("its own dot named", stored([set(replacing: [dot])]), .malformedChange),
            (
                "a delete and a write to one record", stored([.delete(seen: VersionVector()), set()]),
                .malformedChange
            ),
            (
                "a record whose id does not follow from its creation",
                stored([.create(kind: "contact", parent: nil)]), .malformedChange
            ),
            ("an operation on a record that names none", stored([set()], record: nil), .malformedChange),
            (
                "a binding that is not the first change",
                stored([.bind(Binding(certificate: [1]))], record: nil),
                .malformedChange
            ),
            ("an entry without operations", stored([]), .malformedChange),
            ("the erased form of a change of which nothing is erased", Self.parts(sound), .malformedChange),
            ("values missing in the full form", Array(sound.dropLast(3)) + [0x40], .malformedChange),
            ("a deletion erased, which has no values", Self.erasedDelete(record), .malformedChange),
            ("a value of 16,385 bytes", stored([set(.text(long))]), .limitExceeded),
            (
                "a field's name of 65 bytes",
                stored([
                    .restore(deletes: []),
                    .set(
                        field: UTF8Text(String(repeating: "f", count: 65)), value: .empty, replacing: []),
                ]), .limitExceeded
            ),
        ]
        return cases.map {
            ChangeVectors.Refused(
                note: $0.0, replica: madrid.description, sequence: dot.sequence, stored: hexadecimal($0.1),
                code: $0.2.rawValue)
        }
    }

    /// The stored form with two hashes in place of the seed.
    private static func parts(_ stored: [UInt8]) -> [UInt8] {
        let hash: [UInt8] = [0x58, 0x20] + [UInt8](repeating: 7, count: 32)
        return Array(stored[..<9]) + [0x82] + hash + hash + stored[26...]
    }

    /// An erased form by hand.
    private static func erasedDelete(_ record: RecordID) -> [UInt8] {
        var writer = CBORWriter()
        writer.array(5)
        writer.byteString([0, 0, 0, 0, 0, 5])
        writer.array(0)
        writer.array(2)
        for number in [1, 2] as [UInt8] { writer.digest(SHA256.hash([number])) }
        writer.text("")
        writer.array(1)
        writer.array(3)
        writer.byteString(record.bytes)
        writer.array(1)
        writer.array(2)
        writer.unsigned(5)
        writer.array(0)
        writer.byteString([])
        return writer.bytes
    }

    /// The stored form with a byte of its timestamp left out.
    private static func shortTimestamp(_ stored: [UInt8]) -> [UInt8] {
        [stored[0], 0x45] + stored.dropFirst(3)
    }
}
