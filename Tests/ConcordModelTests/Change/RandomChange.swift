// Random well-formed changes with every kind of operation.

import ConcordCrypto
import ConcordModel
import ConcordText

extension Seeded {
    mutating func dot() -> Dot {
        Dot(ReplicaID(Bytes16(high: UInt64(below(3)), low: next())), 1 + next() >> UInt64(1 + below(62)))
    }

    mutating func dependency() -> Dependency {
        Dependency(dot(), mark: Bytes16(high: next(), low: next()))
    }

    mutating func dots() -> [Dot] { Set((0..<below(4)).map { _ in dot() }).sorted() }

    mutating func name() -> UTF8Text { ["name", "areas", "notes", "ünlaut", ""][below(5)] }

    /// A signature of the right form, valid for nothing.
    mutating func signature() -> Signature {
        while true {
            var bytes = bytes(Signature.byteCount)
            bytes[32] &= 0x7f
            if let signature = Signature(bytes: bytes) { return signature }
        }
    }

    mutating func change() -> Change {
        Change(
            timestamp: Int64(below(1 << 48)),
            dependencies: Set((0..<below(5)).map { _ in dependency() }).sorted(),
            seed: Bytes16(high: next(), low: next()), authorLabel: text(),
            entries: (0..<1 + below(4)).map { _ in entry() })
    }

    mutating func binding() -> Binding {
        Binding(
            certificate: bytes(below(80)), member: MemberID(digest()), issuer: chance(50) ? digest() : nil,
            nonce: Bytes16(high: next(), low: next()))
    }

    mutating func entry() -> Entry {
        guard chance(80) else {
            let act = SignedAct(act: bytes(below(60)), signer: MemberID(digest()), signature: signature())
            return Entry(record: nil, operations: chance(70) ? [.act(act)] : [.bind(binding())])
        }
        let record = RecordID(Bytes16(high: next(), low: next()))
        return Entry(record: record, operations: (0..<1 + below(5)).map { _ in operation() })
    }

    mutating func operation() -> Operation {
        switch below(10) {
        case 0: .create(kind: name(), parent: chance(50) ? RecordID(Bytes16(high: next(), low: next())) : nil)
        case 1, 2: .set(field: name(), value: value(), replacing: dots())
        case 3: .add(field: name(), element: value(), replacing: dots())
        case 4: .remove(field: name(), element: value(), replacing: dots())
        case 5:
            .edit(
                field: name(), parents: dots(),
                runs: (0..<below(3)).map { _ in
                    TextRun(position: next() >> 40, deleted: next() >> 60, inserted: next() >> 62)
                }, inserted: text())
        case 6: .delete(seen: VersionVector(dots()))
        case 7: .restore(deletes: dots())
        case 8: .erase(changes: dots(), reason: text())
        default: .unknown(header: [0x83, 0x18, 99, 0x61, 0x78, 0x81, 0x01], value: [0x82, 0x01, 0x41, 0xff])
        }
    }
}
