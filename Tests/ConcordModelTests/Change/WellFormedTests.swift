// Rule A: for every rule a change that breaks it and nothing else, beside one that keeps it.

import ConcordCrypto
import ConcordModel
import ConcordText
import Testing

@Suite("Changes: rules of form")
struct WellFormedTests {
    private static let dot = Dot(5, 9)
    private static let kind: UTF8Text = "contact"

    private static func id(_ index: Int, _ kind: UTF8Text = kind, dot: Dot = dot) -> RecordID {
        RecordID(space: someSpace, kind: kind, dot: dot, index: index, timestamp: 1000)
    }

    private static func change(_ entries: [Entry], dependencies: [Dot] = [], label: UTF8Text = "Ana")
        -> Change
    {
        Change(
            timestamp: 1000, dependencies: dependencies.map(Dependency.init(some:)),
            seed: Bytes16(high: 1, low: 2), authorLabel: label,
            entries: entries)
    }

    private static func check(_ change: Change, dot: Dot = dot) -> ConcordError? {
        refusal { try change.checkWellFormed(space: someSpace, dot: dot) }
    }

    private static func set(_ field: UTF8Text, replacing: [Dot] = []) -> Operation {
        .set(field: field, value: .text("x"), replacing: replacing)
    }

    private static func add(_ element: String, replacing: [Dot] = []) -> Operation {
        .add(field: "areas", element: .text(UTF8Text(element)), replacing: replacing)
    }

    private static func remove(_ element: String, replacing: [Dot] = []) -> Operation {
        .remove(field: "areas", element: .text(UTF8Text(element)), replacing: replacing)
    }

    private static func act() -> Operation {
        var random = Seeded(1)
        return .act(SignedAct(act: [1], signer: MemberID(random.digest()), signature: random.signature()))
    }

    @Test("a change that keeps every rule is well-formed")
    func wellFormed() {
        let meeting = Self.id(1, "meeting")
        let entries = [
            Entry(
                record: Self.id(0),
                operations: [
                    .create(kind: Self.kind, parent: nil), Self.set("name"), Self.add("a"), Self.add("b"),
                ]),
            Entry(record: meeting, operations: [.create(kind: "meeting", parent: nil)]),
            Entry(
                record: Self.id(2, "agenda_item"), operations: [.create(kind: "agenda_item", parent: meeting)]
            ),
            Entry(
                record: 3,
                operations: [
                    .restore(deletes: [Dot(5, 8), Dot(6, 100)]), Self.set("name"), Self.set("areas"),
                    Self.add("c"), Self.remove("d"),
                ]),
            Entry(record: 4, operations: [.delete(seen: VersionVector([Dot(5, 8)]))]),
            Entry(
                record: 6,
                operations: [.unknown(header: [0x81, 0x0a], value: [0x80]), .erase(changes: [], reason: "")]),
            Entry(
                record: nil,
                operations: [Self.act(), Self.act(), .unknown(header: [0x81, 0x0a], value: [0x80])]),
            Entry(record: nil, operations: [Self.act()]),
        ]
        #expect(Self.check(Self.change(entries, dependencies: [Dot(1, 1), Dot(2, 5)])) == nil)
        let first = [Entry(record: nil, operations: [.bind(Binding(certificate: [1]))])]
        #expect(Self.check(Self.change(first), dot: Dot(5, 1)) == nil)
    }

    @Test("each rule of form is broken by a change that breaks nothing else", arguments: broken.indices)
    func rules(index: Int) {
        let (rule, change, dot) = Self.broken[index]
        let error = Self.check(change, dot: dot)
        #expect(
            error?.code == .malformedChange && error?.message == rule,
            "\(rule): \(error?.description ?? "accepted")")
    }

    private static let broken: [(String, Change, Dot)] = [
        ("a change does nothing", change([]), dot),
        ("an entry does nothing", change([Entry(record: 1, operations: [])]), dot),
        (
            "a change depends on its own chain by name",
            change([Entry(record: 1, operations: [set("a")])], dependencies: [Dot(5, 3)]), dot
        ),
        (
            "dependencies are not in ascending order",
            change([Entry(record: 1, operations: [set("a")])], dependencies: [Dot(2, 1), Dot(1, 1)]), dot
        ),
        (
            "dots are not in ascending order",
            change([Entry(record: 1, operations: [set("a", replacing: [Dot(1, 1), Dot(1, 1)])])]), dot
        ),
        ("an operation on a record names none", change([Entry(record: nil, operations: [set("a")])]), dot),
        (
            "an operation on a record names none",
            change([Entry(record: nil, operations: [.erase(changes: [], reason: "")])]), dot
        ),
        ("an act names a record", change([Entry(record: 1, operations: [act()])]), dot),
        (
            "an act names a record",
            change([Entry(record: 1, operations: [.bind(Binding(certificate: []))])]),
            Dot(5, 1)
        ),
        (
            "a record has two entries in one change",
            change([Entry(record: 1, operations: [set("a")]), Entry(record: 1, operations: [set("b")])]), dot
        ),
        (
            "a change does the same twice to one field, element or record",
            change([Entry(record: 1, operations: [set("a"), set("a")])]), dot
        ),
        (
            "a change does the same twice to one field, element or record",
            change([Entry(record: 1, operations: [add("a"), add("a")])]), dot
        ),
        (
            "a change does the same twice to one field, element or record",
            change([Entry(record: 1, operations: [add("a"), remove("a")])]), dot
        ),
        (
            "a change does the same twice to one field, element or record",
            change([Entry(record: 1, operations: [.restore(deletes: []), .restore(deletes: [])])]), dot
        ),
        (
            "a change does the same twice to one field, element or record",
            change([
                Entry(
                    record: 1,
                    operations: [
                        .edit(field: "a", parents: [], runs: [], inserted: ""),
                        .edit(field: "b", parents: [], runs: [], inserted: ""),
                    ])
            ]), dot
        ),
        (
            "a change does the same twice to one field, element or record",
            change([
                Entry(
                    record: id(0),
                    operations: [
                        .create(kind: kind, parent: nil), .create(kind: kind, parent: nil),
                    ])
            ]), dot
        ),
        (
            "a change deletes and touches one record",
            change([Entry(record: 1, operations: [.delete(seen: VersionVector()), set("a")])]), dot
        ),
        (
            "a change deletes and touches one record",
            change([Entry(record: 1, operations: [set("a"), .delete(seen: VersionVector())])]), dot
        ),
        (
            "a record is used before it is created",
            change([Entry(record: id(0), operations: [set("a"), .create(kind: kind, parent: nil)])]), dot
        ),
        (
            "a parent is used before it is created",
            change([
                Entry(record: id(0), operations: [.create(kind: kind, parent: id(1))]),
                Entry(record: id(1), operations: [.create(kind: kind, parent: nil)]),
            ]), dot
        ),
        (
            "a parent is used before it is created",
            change([Entry(record: id(0), operations: [.create(kind: kind, parent: id(0))])]), dot
        ),
        (
            "a record id is not bound to its creation",
            change([Entry(record: 1, operations: [.create(kind: kind, parent: nil)])]), dot
        ),
        (
            "a record id is not bound to its creation",
            change([Entry(record: id(1), operations: [.create(kind: kind, parent: nil)])]), dot
        ),
        (
            "a record id is not bound to its creation",
            change([Entry(record: id(0), operations: [.create(kind: "meeting", parent: nil)])]), dot
        ),
        (
            "a record id is not bound to its creation",
            change([Entry(record: id(0, dot: Dot(5, 8)), operations: [.create(kind: kind, parent: nil)])]),
            dot
        ),
        (
            "an operation names its own change or a later one",
            change([Entry(record: 1, operations: [set("a", replacing: [dot])])]), dot
        ),
        (
            "an operation names its own change or a later one",
            change([Entry(record: 1, operations: [add("a", replacing: [Dot(5, 10)])])]), dot
        ),
        (
            "an operation names its own change or a later one",
            change([Entry(record: 1, operations: [remove("a", replacing: [dot])])]), dot
        ),
        (
            "an operation names its own change or a later one",
            change([Entry(record: 1, operations: [.restore(deletes: [dot])])]), dot
        ),
        (
            "an operation names its own change or a later one",
            change([Entry(record: 1, operations: [.erase(changes: [dot], reason: "")])]), dot
        ),
        (
            "an operation names its own change or a later one",
            change([Entry(record: 1, operations: [.delete(seen: VersionVector([dot]))])]), dot
        ),
        (
            "an operation names its own change or a later one",
            change([
                Entry(
                    record: 1,
                    operations: [
                        .edit(field: "a", parents: [dot], runs: [], inserted: "")
                    ])
            ]), dot
        ),
        (
            "a run of an edit does nothing",
            change([Entry(record: 1, operations: [edit([(0, 0, 1), (3, 0, 0)], "x")])]), dot
        ),
        (
            "an edit inserts another number of scalars than its runs say",
            change([Entry(record: 1, operations: [edit([(0, 0, 1), (1, 1, 1)], "é")])]), dot
        ),
        (
            "an edit inserts another number of scalars than its runs say",
            change([Entry(record: 1, operations: [edit([], "x")])]), dot
        ),
        (
            "an edit inserts another number of scalars than its runs say",
            change([Entry(record: 1, operations: [edit([(0, 0, 1)], "e\u{301}")])]), dot
        ),
        (
            "a replica is bound by its first change and no other",
            change([Entry(record: nil, operations: [.bind(Binding(certificate: [1]))])]), dot
        ),
        (
            "a replica is bound by its first change and no other",
            change([Entry(record: 1, operations: [set("a")])]), Dot(5, 1)
        ),
        (
            "the binding of a replica does not stand alone in front",
            change([Entry(record: nil, operations: [.bind(Binding(certificate: [])), act()])]), Dot(5, 1)
        ),
        (
            "the binding of a replica does not stand alone in front",
            change([
                Entry(record: nil, operations: [act()]),
                Entry(record: nil, operations: [.bind(Binding(certificate: []))]),
            ]), Dot(5, 1)
        ),
        (
            "the binding of a replica does not stand alone in front",
            change([
                Entry(record: nil, operations: [.bind(Binding(certificate: []))]),
                Entry(record: nil, operations: [.bind(Binding(certificate: []))]),
            ]), Dot(5, 1)
        ),
    ]

    @Test("a record id is bound to its space and to the change's timestamp")
    func boundIDs() {
        let entry = Entry(record: Self.id(0), operations: [.create(kind: Self.kind, parent: nil)])
        let change = Self.change([entry])
        #expect(Self.check(change) == nil)
        let foreign = SpaceID(SHA256.hash([9]))
        #expect(
            refusal { try change.checkWellFormed(space: foreign, dot: Self.dot) }?.code == .malformedChange)
        var later = change
        later.timestamp += 1
        #expect(Self.check(later)?.code == .malformedChange)
    }

    @Test("each limit holds at its value and not one beyond", arguments: limits.indices)
    func limit(index: Int) {
        let (name, maximum, make) = Self.limits[index]
        #expect(Self.check(make(maximum)) == nil, "\(name) at its limit")
        #expect(Self.check(make(maximum + 1))?.code == .limitExceeded, "\(name) beyond its limit")
    }

    private static func text(_ count: Int) -> UTF8Text { UTF8Text(String(repeating: "x", count: count)) }

    private static func dots(_ count: Int) -> [Dot] {
        (0..<count).map { Dot(ReplicaID(integerLiteral: 100 + UInt64($0)), 1) }
    }

    private static func edit(_ runs: [(UInt64, UInt64, UInt64)], _ inserted: UTF8Text?) -> Operation {
        .edit(
            field: "body", parents: [],
            runs: runs.map { TextRun(position: $0.0, deleted: $0.1, inserted: $0.2) }, inserted: inserted)
    }

    private static let limits: [(String, Int, @Sendable (Int) -> Change)] = [
        (
            "operations", Limits.changeOperations,
            { count in
                change([Entry(record: 1, operations: (0..<count).map { set(UTF8Text("f\($0)")) })])
            }
        ),
        (
            "dependencies", Limits.dependencies,
            { change([Entry(record: 1, operations: [set("a")])], dependencies: dots($0)) }
        ),
        (
            "author's label", Limits.authorLabelBytes,
            { change([Entry(record: 1, operations: [set("a")])], label: text($0)) }
        ),
        ("name", Limits.nameBytes, { change([Entry(record: 1, operations: [set(text($0))])]) }),
        (
            "kind", Limits.nameBytes,
            { count in
                change([
                    Entry(record: id(0, text(count)), operations: [.create(kind: text(count), parent: nil)])
                ])
            }
        ),
        (
            "text value", Limits.valueBytes,
            {
                change([
                    Entry(record: 1, operations: [.set(field: "a", value: .text(text($0)), replacing: [])])
                ])
            }
        ),
        (
            "element of bytes", Limits.valueBytes,
            { count in
                change([
                    Entry(
                        record: 1,
                        operations: [
                            .add(
                                field: "a", element: .bytes([UInt8](repeating: 0, count: count)),
                                replacing: [])
                        ])
                ])
            }
        ),
        (
            "runs of an edit", Limits.textRuns,
            { count in
                let runs = (0..<count).map { (UInt64($0), UInt64(1), UInt64(0)) }
                return change([Entry(record: 1, operations: [edit(runs, "")])])
            }
        ),
        (
            "position of a run", Limits.textClaimed,
            { change([Entry(record: 1, operations: [edit([(UInt64($0), 1, 0)], "")])]) }
        ),
        (
            "scalars that a run deletes", Limits.textScalars,
            { change([Entry(record: 1, operations: [edit([(0, UInt64($0), 0)], "")])]) }
        ),
        (
            "scalars that a change inserts, in two entries", Limits.changeBytes,
            {
                change([
                    Entry(record: 1, operations: [edit([(0, 0, 9)], text(9))]),
                    Entry(record: 2, operations: [edit([(0, 0, UInt64($0 - 9))], text($0 - 9))]),
                ])
            }
        ),
        (
            "scalars that an edit inserts", Limits.changeBytes,
            {
                let runs = [(UInt64(0), UInt64(0), UInt64($0 - 7)), (0, 0, 7)]
                return change([Entry(record: 1, operations: [edit(runs, text($0))])])
            }
        ),
        (
            "named dots", Limits.namedDots,
            { change([Entry(record: 1, operations: [set("a", replacing: dots($0))])]) }
        ),
        (
            "restored deletes", Limits.namedDots,
            { change([Entry(record: 1, operations: [.restore(deletes: dots($0))])]) }
        ),
        (
            "vector of a delete", Limits.versionVectorEntries,
            { change([Entry(record: 1, operations: [.delete(seen: VersionVector(dots($0)))])]) }
        ),
        (
            "act", Limits.actBytes,
            { count in
                var random = Seeded(1)
                let signed = SignedAct(
                    act: [UInt8](repeating: 0, count: count), signer: MemberID(random.digest()),
                    signature: random.signature())
                return change([Entry(record: nil, operations: [.act(signed)])])
            }
        ),
        (
            "timestamp", Int(Limits.timestamp),
            { value in
                var late = change([Entry(record: 1, operations: [set("a")])])
                late.timestamp = Int64(value)
                return late
            }
        ),
    ]

    @Test("a timestamp before 1970 and a certificate beyond its limit are refused")
    func otherLimits() {
        var early = Self.change([Entry(record: 1, operations: [Self.set("a")])])
        early.timestamp = -1
        #expect(Self.check(early)?.code == .limitExceeded)
        let certificate = [UInt8](repeating: 0, count: Limits.certificateBytes + 1)
        let first = Self.change([Entry(record: nil, operations: [.bind(Binding(certificate: certificate))])])
        #expect(Self.check(first, dot: Dot(5, 1))?.code == .limitExceeded)
    }
}
