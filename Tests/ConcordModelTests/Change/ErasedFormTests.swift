// The erased form of a change: the same hash without the values, one spelling, and rules of form that still hold for
// what is left.

import CBOR
import ConcordCrypto
import ConcordModel
import ConcordText
import Testing

@Suite("Changes: erased form")
struct ErasedFormTests {
    private static let body = [TextRun(position: 0, deleted: 0, inserted: 11)]
    private static let secret = "Ana Ibáñez, +34 91 000 00 00"

    /// Two contacts and an act, in three entries.
    private static let change = Change(
        timestamp: 1000, dependencies: [Dependency(some: Dot(1, 1))], seed: Bytes16(high: 1, low: 2),
        authorLabel: "Ana",
        entries: [
            Entry(
                record: 7,
                operations: [
                    .restore(deletes: [Dot(2, 1)]),
                    .set(field: "name", value: .text(UTF8Text(secret)), replacing: [Dot(1, 1)]),
                    .set(field: "age", value: .integer(42), replacing: []),
                    .add(field: "areas", element: .text("secret area"), replacing: []),
                    .remove(field: "areas", element: .bytes([1, 2, 3]), replacing: [Dot(1, 1)]),
                    .edit(field: "body", parents: [], runs: body, inserted: "secret body"),
                    .unknown(header: [0x81, 0x0b], value: [0x61, 0x78]),
                ]),
            Entry(record: 8, operations: [.set(field: "name", value: .text("kept"), replacing: [])]),
            Entry(record: nil, operations: [.unknown(header: [0x81, 0x0a], value: [0x80])]),
        ])

    private static func context(_ change: Change) -> ChangeContext {
        ChangeContext(
            space: someSpace, dot: Dot(5, 9), previous: SHA256.hash([1]),
            dependencies: change.dependencies.map { SHA256.hash($0.mark.bytes) })
    }

    private static func refused(_ bytes: [UInt8]) -> ErrorCode? {
        refusal { _ = try Change(encoded: bytes) }?.code
    }

    @Test(
        "whatever is erased, the hash stays, and the form comes back from its bytes",
        arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(seed)
        let full = random.change()
        let hash = full.hash(in: Self.context(full))
        let chosen = Set(full.entries.indices.filter { _ in random.chance(50) })
        let erasable = chosen.filter { full.entries[$0].isErasable }
        let erased = full.erasing(entries: chosen)
        #expect(erased.hash(in: Self.context(erased)) == hash, "seed \(seed)")
        #expect(erased.isErased != erasable.isEmpty && (erased == full) == erasable.isEmpty, "seed \(seed)")
        #expect(Set(erased.entries.indices.filter(erased.isErased)) == erasable, "seed \(seed)")
        let decoded = try Change(encoded: erased.encoded())
        #expect(decoded == erased && decoded.encoded() == erased.encoded(), "seed \(seed)")
        #expect(decoded.hash(in: Self.context(decoded)) == hash, "seed \(seed)")
        for index in full.entries.indices where !erasable.contains(index) {
            #expect(erased.entries[index] == full.entries[index], "seed \(seed)")
        }
        #expect(erased.countedBytes(erased.encoded().count) <= full.encoded().count, "seed \(seed)")
        #expect(full.countedBytes(full.encoded().count) == full.encoded().count)
        // Step by step, in any order and with repetitions, it is the same form.
        var steps = full
        for index in (Array(chosen) + chosen).shuffled(using: &random) {
            steps = steps.erasing(entries: [index])
        }
        #expect(steps == erased, "seed \(seed)")
    }

    @Test("headers stay and values go, with the seed from which their salts came")
    func whatStays() throws {
        let erased = Self.change.erasing(entries: [0])
        let operations = erased.entries[0].operations
        #expect(operations[0] == .restore(deletes: [Dot(2, 1)]))
        #expect(operations[1] == .set(field: "name", value: .erased, replacing: [Dot(1, 1)]))
        #expect(operations[3] == .add(field: "areas", element: .erased, replacing: []))
        #expect(operations[4] == .remove(field: "areas", element: .erased, replacing: [Dot(1, 1)]))
        #expect(operations[5] == .edit(field: "body", parents: [], runs: Self.body, inserted: nil))
        #expect(operations[6] == .unknown(header: [0x81, 0x0b], value: []))
        #expect(operations.filter(\.isErased).count == 6)
        let bytes = erased.encoded()
        for gone in [
            Array(Self.secret.utf8), Array("secret".utf8), Bytes16(high: 1, low: 2).bytes, [0x18, 42],
        ] {
            #expect(!contains(bytes, gone))
        }
        #expect(contains(bytes, Array("kept".utf8)) && contains(bytes, Array("Ana".utf8)))
        // Nor does the hash alone allow guessing: without the salt the inner hash of a guess is another.
        let values = Self.change.encoded()
        #expect(contains(values, Array(Self.secret.utf8)))
    }

    @Test("what has no record or no values is not erased")
    func nothingToErase() {
        #expect(Self.change.erasing(entries: [2]) == Self.change)
        #expect(Self.change.erasing(entries: []) == Self.change)
        var bare = Self.change
        bare.entries = [
            Entry(record: 7, operations: [.delete(seen: VersionVector())]),
            Entry(record: 8, operations: [.unknown(header: [0x81, 0x0a], value: [0x80])]),
        ]
        #expect(bare.erasing(entries: [0, 1]) == bare)
        #expect(Self.change.erasableEntries(on: [7, 9]) == [0])
        #expect(Self.change.erasing(entries: [0]).erasableEntries(on: [7, 8] as [RecordID]) == [1])
    }

    @Test("there is one erased form: with one hash for each part, something erased, and that as a whole")
    func oneForm() throws {
        let erased = Self.change.erasing(entries: [0])
        guard case .parts(let parts) = erased.salts else {
            Issue.record("the form is not the erased one")
            return
        }
        func bytes(_ salts: Change.Salts, _ entries: [Entry] = erased.entries) -> [UInt8] {
            var change = erased
            change.salts = salts
            change.entries = entries
            return change.encoded()
        }
        #expect(Self.refused(bytes(.parts(parts))) == nil)
        #expect(Self.refused(bytes(.parts(parts.dropLast()))) == .malformedChange)
        #expect(Self.refused(bytes(.parts(parts + [parts[0]]))) == .malformedChange)
        #expect(Self.refused(bytes(.parts([]))) == .malformedChange)
        #expect(
            Self.refused(bytes(.parts(parts), Self.change.entries)) == .malformedChange, "nothing is erased")
        #expect(
            Self.refused(bytes(.seed(Bytes16(high: 1, low: 2)))) == .malformedChange,
            "no hash for what is gone")
        var partly = erased
        partly.entries[0] = Entry(
            record: 7,
            operations: Array(erased.entries[0].operations.dropLast()) + [
                Self.change.entries[0].operations[6]
            ])
        let code = refusal { try partly.checkWellFormed(space: someSpace, dot: Dot(5, 9)) }?.code
        #expect(code == .malformedChange, "an entry that is erased in part")
        var local = Self.change
        local.entries[1] = Entry(record: 8, operations: [.set(field: "name", value: .erased, replacing: [])])
        #expect(
            refusal { try local.checkWellFormed(space: someSpace, dot: Dot(5, 9)) }?.code == .malformedChange)
    }

    @Test("values stand as an empty byte string, and only on a record and where there can be some")
    func byHand() {
        func stored(_ record: [UInt8], _ operation: [UInt8], values: [UInt8]) -> [UInt8] {
            var writer = CBORWriter()
            writer.array(5)
            writer.byteString([UInt8](repeating: 0, count: 6))
            writer.array(0)
            writer.array(2)
            writer.digest(SHA256.hash([1]))
            writer.digest(SHA256.hash([2]))
            writer.text("")
            writer.array(1)
            writer.array(3)
            writer.byteString(record)
            writer.array(1)
            writer.encoded(operation)
            writer.encoded(values)
            return writer.bytes
        }
        let record = RecordID(integerLiteral: 7).bytes
        let set: [UInt8] = [0x61, 0x61]
        #expect(Self.refused(stored(record, set, values: [0x40])) == nil)
        #expect(Self.refused(stored(record, set, values: [0x41, 0x00])) == .malformedChange)
        #expect(Self.refused(stored(record, set, values: [0x60])) == .malformedChange)
        #expect(
            Self.refused(stored(record, set, values: [0x81, 0x80])) == .malformedChange,
            "an erased value in a list")
        #expect(
            Self.refused(stored(record, [0x82, 0x05, 0x80], values: [0x40])) == .malformedChange, "a delete")
        #expect(Self.refused(stored([], [0x81, 0x0b], values: [0x40])) == .malformedChange, "no record")
        #expect(Self.refused(stored(record, [0x81, 0x0b], values: [0x40])) == nil)
    }

    @Test(
        "altered bytes are refused, or are the stored form of what is read",
        arguments: 0..<100 as Range<UInt64>)
    func alteredBytes(seed: UInt64) {
        var random = Seeded(seed)
        let full = random.change()
        let original = full.erasing(entries: Set(full.entries.indices)).encoded()
        for _ in 0..<50 {
            var bytes = original
            let place = random.below(bytes.count)
            switch random.below(3) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            default: bytes.remove(at: place)
            }
            do {
                #expect(try Change(encoded: bytes).encoded() == bytes, "seed \(seed)")
            } catch {
                let code = (error as? ConcordError)?.code
                #expect(code == .malformedChange || code == .limitExceeded, "seed \(seed): \(error)")
            }
        }
    }

    @Test("rules of form are judged on what is left, save on whether elements are equal")
    func wellFormed() {
        func check(_ operations: [Operation]) -> ConcordError? {
            let change = Change(
                timestamp: 0, dependencies: [], seed: Bytes16(high: 0, low: 0), authorLabel: "",
                entries: [Entry(record: 7, operations: operations)])
            return refusal {
                try change.erasing(entries: [0]).checkWellFormed(space: someSpace, dot: Dot(5, 9))
            }
        }
        let set = Operation.set(field: "name", value: .text("x"), replacing: [])
        let add = Operation.add(field: "areas", element: .text("x"), replacing: [])
        #expect(check([set]) == nil && check([add, add]) == nil)
        for wrong in [
            [set, set], [set, .delete(seen: VersionVector())],
            [.set(field: "name", value: .text("x"), replacing: [Dot(5, 9)])],
            [set, .create(kind: "contact", parent: nil)], [.create(kind: "contact", parent: nil), set],
        ] {
            #expect(check(wrong)?.code == .malformedChange, "\(wrong)")
        }
    }

    @Test("a change of the greatest size stays within the limits when all of it is erased")
    func size() throws {
        let entries = (0..<Limits.changeOperations).map { index in
            Entry(
                record: RecordID(integerLiteral: UInt64(index)),
                operations: [
                    .set(
                        field: "", value: .bytes([UInt8](repeating: 0, count: index == 0 ? 16_384 : 208)),
                        replacing: [])
                ])
        }
        var change = Change(
            timestamp: 1 << 40, dependencies: [], seed: Bytes16(high: 0, low: 0), authorLabel: "",
            entries: entries)
        // Filled up with the label and a second large value to the last byte.
        let missing = Limits.changeBytes - change.encoded().count
        #expect(missing > 0 && missing < Limits.valueBytes)
        change.entries[1] = Entry(
            record: 1,
            operations: [
                .set(field: "", value: .bytes([UInt8](repeating: 0, count: 208 + missing - 1)), replacing: [])
            ])
        #expect(change.encoded().count == Limits.changeBytes)
        #expect(throws: Never.self) { try Change(encoded: change.encoded()) }
        let oneEntry = change.erasing(entries: [5])
        #expect(oneEntry.encoded().count > Limits.changeBytes)
        #expect(throws: Never.self) { try Change(encoded: oneEntry.encoded()) }
        let all = change.erasing(entries: Set(entries.indices))
        #expect(throws: Never.self) { try Change(encoded: all.encoded()) }
        var larger = change
        larger.authorLabel = "x"
        #expect(Self.refused(larger.encoded()) == .limitExceeded)
        #expect(Self.refused(larger.erasing(entries: []).encoded()) == .limitExceeded)
        larger.authorLabel = UTF8Text(String(repeating: "x", count: 250))
        #expect(Self.refused(larger.erasing(entries: [5]).encoded()) == .limitExceeded)
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: part) }
    }
}
