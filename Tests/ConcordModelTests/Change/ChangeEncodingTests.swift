// The stored form of a change: what is written is read again, and whatever is read is exactly what would be written,
// so no two stored forms have one hash.

import CBOR
import ConcordCrypto
import Testing

@testable import ConcordModel

@Suite("Changes: stored form")
struct ChangeEncodingTests {
    @Test("a change comes back from its stored form", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(seed)
        let change = random.change()
        let bytes = change.encoded()
        let decoded = try Change(encoded: bytes)
        #expect(decoded == change, "seed \(seed)")
        #expect(decoded.encoded() == bytes, "seed \(seed)")
    }

    @Test(
        "altered bytes are refused, or are the stored form of what is read",
        arguments: 0..<200 as Range<UInt64>)
    func alteredBytes(seed: UInt64) {
        var random = Seeded(seed)
        let original = random.change().encoded()
        for _ in 0..<50 {
            var bytes = original
            for _ in 0..<1 + random.below(2) {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                case 2: bytes.remove(at: place)
                default: bytes[place] ^= 1 << UInt8(random.below(8))
                }
            }
            do {
                let change = try Change(encoded: bytes)
                #expect(change.encoded() == bytes, "seed \(seed)")
            } catch {
                let code = (error as? ConcordError)?.code
                #expect(code == .malformedChange || code == .limitExceeded, "seed \(seed): \(error)")
            }
        }
    }

    @Test("no proper beginning of a stored form is a change", arguments: 0..<20 as Range<UInt64>)
    func truncated(seed: UInt64) {
        var random = Seeded(seed)
        let bytes = random.change().encoded()
        for count in 0..<bytes.count {
            #expect(refusal { _ = try Change(encoded: Array(bytes.prefix(count))) }?.code == .malformedChange)
        }
        #expect(refusal { _ = try Change(encoded: bytes + [0]) }?.code == .malformedChange)
    }

    @Test("dots out of order, repeated, or of sequence 0 are refused wherever they stand")
    func dots() throws {
        let (low, high) = (Dot(1, 2), Dot(2, 1))
        for wrong in [[high, low], [low, low], [Dot(1, 0)], [Dot(1, UInt64.max)]] {
            for place in ["dependencies", "replacing", "restore", "erase", "seen", "parents"] {
                let bytes = Self.bytes(dots: wrong, in: place)
                #expect(
                    refusal { _ = try Change(encoded: bytes) }?.code == .malformedChange,
                    "\(wrong) in \(place)")
            }
        }
        for place in ["dependencies", "replacing", "restore", "erase", "seen", "parents"] {
            #expect(throws: Never.self, "\(place)") {
                try Change(encoded: Self.bytes(dots: [low, high], in: place))
            }
        }
        let twice = Self.bytes(dots: [Dot(1, 2), Dot(1, 3)], in: "seen")
        #expect(refusal { _ = try Change(encoded: twice) }?.message.contains("twice") == true)
    }

    @Test("two branches of one replica may be depended upon, each mark once and in order")
    func marks() throws {
        func bytes(_ marks: [UInt64]) -> [UInt8] {
            Change(
                timestamp: 0,
                dependencies: marks.map { Dependency(Dot(1, 2), mark: Bytes16(high: 0, low: $0)) },
                seed: Bytes16(high: 0, low: 0), authorLabel: "", entries: []
            ).encoded()
        }
        let change = try Change(encoded: bytes([1, 2]))
        #expect(change.dependencies.map(\.mark.low) == [1, 2])
        for wrong in [[2, 1], [1, 1]] as [[UInt64]] {
            #expect(refusal { _ = try Change(encoded: bytes(wrong)) }?.code == .malformedChange)
        }
    }

    @Test("a binding names the founding authority in one way")
    func bindings() throws {
        let binding = Binding(
            certificate: [1], member: MemberID(SHA256.hash([1])), issuer: nil, nonce: Bytes16(high: 1, low: 2)
        )
        func bytes(issuer: [UInt8]) -> [UInt8] {
            var writer = CBORWriter()
            writer.array(5)
            writer.unsigned(8)
            writer.byteString(binding.certificate)
            writer.digest(binding.member.digest)
            writer.byteString(issuer)
            writer.byteString(binding.nonce.bytes)
            return Self.change(operation: writer.bytes, value: [])
        }
        #expect(try Change(encoded: bytes(issuer: [])).entries[0].operations == [.bind(binding)])
        let rotated = SHA256.hash([2])
        let other = try Change(encoded: bytes(issuer: rotated.bytes))
        let expected = Binding(
            certificate: [1], member: binding.member, issuer: rotated, nonce: binding.nonce)
        #expect(other.entries[0].operations == [.bind(expected)] && expected != binding)
        for wrong in [binding.member.digest.bytes, [1], Array(rotated.bytes.dropLast())] {
            #expect(refusal { _ = try Change(encoded: bytes(issuer: wrong)) }?.code == .malformedChange)
        }
    }

    @Test("an operation with parts too many or too few, or with a value that it does not take, is refused")
    func parts() {
        for code in 0..<10 as Range<UInt64> {
            for extra in [1, 12] {
                var writer = CBORWriter()
                writer.array(extra + 1)
                writer.unsigned(code)
                for _ in 0..<extra { writer.unsigned(0) }
                let bytes = Self.change(operation: writer.bytes, value: [0x80])
                #expect(refusal { _ = try Change(encoded: bytes) }?.code == .malformedChange, "code \(code)")
            }
        }
        let empty = Self.change(operation: [0x80], value: [0x80])
        #expect(refusal { _ = try Change(encoded: empty) }?.code == .malformedChange)
        let restoreWithValue = Self.change(operation: [0x82, 0x06, 0x80], value: [0x00])
        #expect(refusal { _ = try Change(encoded: restoreWithValue) }?.code == .malformedChange)
        let setToAnArray = Self.change(operation: [0x61, 0x61], value: [0x80])
        #expect(refusal { _ = try Change(encoded: setToAnArray) }?.code == .malformedChange)
    }

    @Test("names, ids and operations have one form each")
    func oneForm() throws {
        // "name" has the number 0; "a" has none.
        #expect(throws: Never.self) { try Change(encoded: Self.change(operation: [0x00], value: [0x60])) }
        #expect(throws: Never.self) {
            try Change(encoded: Self.change(operation: [0x61, 0x61], value: [0x60]))
        }
        for wrong in [
            [0x64] + Array("name".utf8), [0x18, 0xff], [0x83, 0x01, 0x00, 0x80], [0x82, 0x01, 0x00],
            [0x83, 0x02, 0x00, 0x80],
        ] as [[UInt8]] {
            let bytes = Self.change(operation: wrong, value: [0x60])
            #expect(refusal { _ = try Change(encoded: bytes) }?.code == .malformedChange, "\(wrong)")
        }
        let change = Change(
            timestamp: 5, dependencies: [], seed: Bytes16(high: 0, low: 0), authorLabel: "",
            entries: [
                Entry(
                    record: RecordID(Bytes16(high: RecordID.prefix(timestamp: 5, index: 0), low: 9)),
                    operations: [.create(kind: "contact", parent: nil)])
            ])
        let short = change.encoded()
        #expect(try Change(encoded: short) == change)
        let tail: [UInt8] = [0x48, 0, 0, 0, 0, 0, 0, 0, 9]
        let start = try #require(short.indices.first { short[$0...].starts(with: tail) })
        let prefix = RecordID.prefix(timestamp: 5, index: 0)
        let whole =
            [0x50] + (0..<8).map { UInt8(truncatingIfNeeded: prefix >> (56 - 8 * $0)) } + tail.dropFirst()
        let long = Array(short[..<start]) + whole + short[(start + 9)...]
        #expect(refusal { _ = try Change(encoded: long) }?.code == .malformedChange)
        // Half an id where nothing is created.
        let half = Array(Self.change(operation: [0x00], value: [0x60]))
        let place = try #require(
            half.indices.first {
                half[$0] == 0x50 && half[($0 + 1)...].starts(with: [0, 0, 0, 0, 0, 0, 0, 0])
                    && half[$0 + 16] == 7
            })
        let cut = Array(half[..<place]) + [0x48] + half[(place + 9)...]
        #expect(refusal { _ = try Change(encoded: cut) }?.code == .malformedChange)
    }

    @Test("an operation of a later level is kept byte for byte")
    func unknownOperation() throws {
        let header: [UInt8] = [0x84, 0x0a, 0x61, 0x78, 0x82, 0x01, 0x20, 0x41, 0x00]
        let value: [UInt8] = [0x82, 0x80, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
        let bytes = Self.change(operation: header, value: value)
        let change = try Change(encoded: bytes)
        #expect(change.entries[0].operations == [.unknown(header: header, value: value)])
        #expect(change.encoded() == bytes)
        let deep = Self.change(
            operation: [0x82, 0x0a] + [UInt8](repeating: 0x81, count: 16) + [0], value: value)
        #expect(refusal { _ = try Change(encoded: deep) }?.code == .malformedChange)
    }

    @Test("limits of size are enforced while reading")
    func limits() {
        func set(_ field: String, _ value: Value) -> [UInt8] {
            Change(
                timestamp: 0, dependencies: [], seed: Bytes16(high: 0, low: 0), authorLabel: "",
                entries: [
                    Entry(record: 7, operations: [.set(field: UTF8Text(field), value: value, replacing: [])])
                ]
            ).encoded()
        }
        #expect(throws: Never.self) {
            try Change(
                encoded: set(
                    String(repeating: "f", count: 64), .bytes([UInt8](repeating: 0, count: 16 << 10))))
        }
        #expect(
            refusal { _ = try Change(encoded: set(String(repeating: "f", count: 65), .empty)) }?.code
                == .limitExceeded)
        #expect(
            refusal {
                _ = try Change(encoded: set("f", .bytes([UInt8](repeating: 0, count: (16 << 10) + 1))))
            }?.code == .limitExceeded)
        #expect(
            refusal {
                _ = try Change(
                    encoded: set("f", .text(UTF8Text(String(repeating: "x", count: (16 << 10) + 1)))))
            }?.code == .limitExceeded)
        #expect(
            refusal {
                let most = Limits.changeBytes + Limits.erasedPartsBytes
                _ = try Change(encoded: [UInt8](repeating: 0, count: most + 1))
            }?.code
                == .limitExceeded)
    }

    // MARK: Encodings by hand

    private static func bytes(dots: [Dot], in place: String) -> [UInt8] {
        var writer = CBORWriter()
        func head(_ count: Int, _ code: UInt64, _ field: String?) {
            writer.array(count)
            writer.unsigned(code)
            if let field { writer.name(UTF8Text(field)) }
        }
        switch place {
        case "replacing": head(3, 2, "areas")
        case "parents": head(4, 4, "body")
        case "restore": head(2, 6, nil)
        case "erase": head(3, 9, nil)
        case "seen": head(2, 5, nil)
        default: return change(operation: [0x82, 0x06, 0x80], value: [], dependencies: dots)
        }
        writer.dots(dots)
        if place == "parents" { writer.array(0) }
        if place == "erase" { writer.text("") }
        return change(
            operation: writer.bytes, value: ["replacing", "parents"].contains(place) ? [0x60] : [])
    }

    private static func change(operation: [UInt8], value: [UInt8], dependencies: [Dot] = []) -> [UInt8] {
        var writer = CBORWriter()
        writer.array(5)
        writer.byteString([UInt8](repeating: 0, count: 6))
        writer.dependencies(dependencies.map(Dependency.init(some:)))
        writer.byteString([UInt8](repeating: 0, count: 16))
        writer.text("")
        writer.array(1)
        writer.array(3)
        writer.byteString(RecordID(integerLiteral: 7).bytes)
        writer.array(1)
        writer.encoded(operation)
        writer.array(value.isEmpty ? 0 : 1)
        writer.encoded(value)
        return writer.bytes
    }
}
