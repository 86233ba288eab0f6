// The hash of a change covers everything in it and its place, and values only through salted hashes.

import CBOR
import ConcordCrypto
import ConcordModel
import Testing

@Suite("Changes: hash")
struct ChangeHashTests {
    private static let context = ChangeContext(
        space: someSpace, dot: Dot(5, 9), previous: SHA256.hash([1]),
        dependencies: [SHA256.hash([2]), SHA256.hash([3])])

    private static let change = Change(
        timestamp: 1000, dependencies: [Dependency(some: Dot(1, 1)), Dependency(some: Dot(2, 2))],
        seed: Bytes16(high: 1, low: 2),
        authorLabel: "Ana",
        entries: [
            Entry(
                record: 7,
                operations: [
                    .set(field: "name", value: .text("x"), replacing: [Dot(1, 1)]), .restore(deletes: []),
                ]),
            Entry(record: 8, operations: [.unknown(header: [0x81, 0x0a], value: [0x01])]),
        ])

    @Test("the canonical form is the grammar's, built here by hand")
    func canonicalForm() {
        func cbor(_ write: (inout CBORWriter) -> Void) -> [UInt8] {
            var writer = CBORWriter()
            write(&writer)
            return writer.bytes
        }
        let seed = Bytes16(high: 1, low: 2).bytes
        func salt(_ number: UInt64) -> [UInt8] {
            SHA256.hash(cbor { $0.byteString(seed) } + cbor { $0.unsigned(number) }).bytes
        }
        let header0 = cbor {
            $0.byteString(RecordID(integerLiteral: 7).bytes)
            $0.array(2)
            $0.array(3)
            $0.unsigned(1)
            $0.unsigned(0)  // the number of "name"
            $0.array(1)
            $0.array(2)
            $0.byteString(ReplicaID(integerLiteral: 1).bytes)
            $0.unsigned(1)
            $0.array(2)
            $0.unsigned(6)
            $0.array(0)
        }
        let header1 = cbor {
            $0.byteString(RecordID(integerLiteral: 8).bytes)
            $0.array(1)
            $0.encoded([0x81, 0x0a] as [UInt8])
        }
        let digest0 = SHA256.hash(header0 + SHA256.hash(salt(1) + [0x81, 0x61, 0x78]).bytes)
        let digest1 = SHA256.hash(header1 + SHA256.hash(salt(2) + [0x81, 0x01]).bytes)
        let expected = cbor {
            $0.array(8)
            $0.byteString(Self.context.space.digest.bytes)
            $0.byteString(Self.context.dot.replica.bytes)
            $0.unsigned(9)
            $0.byteString(Self.context.previous.bytes)
            $0.array(2)
            for dependency in Self.context.dependencies { $0.byteString(dependency.bytes) }
            $0.unsigned(1000)
            $0.byteString(SHA256.hash(salt(0) + [0x63] + Array("Ana".utf8)).bytes)
            $0.byteString(SHA256.hash(digest0.bytes + digest1.bytes).bytes)
        }
        #expect(Self.change.canonicalForm(in: Self.context) == expected)
        #expect(Self.change.hash(in: Self.context) == SHA256.hash(expected))
        let root = SHA256.hash(
            Array("concord/1 chain".utf8) + someSpace.digest.bytes + ReplicaID(integerLiteral: 5).bytes)
        #expect(Change.chainRoot(space: someSpace, replica: 5) == root)
    }

    @Test("whatever differs, the hash differs")
    func sensitivity() {
        func altered(_ alter: (inout Change) -> Void) -> Digest {
            var change = Self.change
            alter(&change)
            return change.hash(in: Self.context)
        }
        func operations(_ operations: [Operation]) -> Digest {
            altered { $0.entries[0] = Entry(record: 7, operations: operations) }
        }
        let context = Self.context
        let places = [
            ChangeContext(
                space: SpaceID(SHA256.hash([9])), dot: context.dot, previous: context.previous,
                dependencies: context.dependencies),
            ChangeContext(
                space: context.space, dot: Dot(6, 9), previous: context.previous,
                dependencies: context.dependencies),
            ChangeContext(
                space: context.space, dot: Dot(5, 10), previous: context.previous,
                dependencies: context.dependencies),
            ChangeContext(
                space: context.space, dot: context.dot, previous: SHA256.hash([8]),
                dependencies: context.dependencies),
            ChangeContext(
                space: context.space, dot: context.dot, previous: context.previous,
                dependencies: context.dependencies.reversed()),
        ]
        let restore = Operation.restore(deletes: [])
        let hashes =
            [
                Self.change.hash(in: context), altered { $0.timestamp += 1 },
                altered { $0.salts = .seed(Bytes16(high: 1, low: 3)) },
                altered { $0.authorLabel = "Eva" }, altered { $0.entries.reverse() },
                altered { $0.entries.removeLast() },
                altered { $0.entries[1] = Entry(record: 9, operations: $0.entries[1].operations) },
                operations([.set(field: "name", value: .text("y"), replacing: [Dot(1, 1)]), restore]),
                operations([.set(field: "name", value: .bytes([0x78]), replacing: [Dot(1, 1)]), restore]),
                operations([.set(field: "nome", value: .text("x"), replacing: [Dot(1, 1)]), restore]),
                operations([.set(field: "name", value: .text("x"), replacing: [Dot(1, 2)]), restore]),
                operations([.add(field: "name", element: .text("x"), replacing: [Dot(1, 1)]), restore]),
                operations([restore, .set(field: "name", value: .text("x"), replacing: [Dot(1, 1)])]),
                operations([.set(field: "name", value: .text("x"), replacing: [Dot(1, 1)])]),
            ] + places.map { Self.change.hash(in: $0) }
        #expect(Set(hashes).count == hashes.count)
    }
}
