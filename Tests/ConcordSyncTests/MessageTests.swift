import CBOR
import ConcordCrypto
import ConcordModel
import SyncSupport
import Testing

@testable import ConcordSync

private let samples: [Message] = {
    let space = testSpace(1)
    let vector = VersionVector([Dot(testReplica(1), 3), Dot(testReplica(2), 700)])
    let heads = [
        ChainHead(Dot(testReplica(1), 3), mark: Bytes16(high: 1, low: 2)),
        ChainHead(Dot(testReplica(2), 3), mark: Bytes16(high: 1, low: 2)),
        ChainHead(Dot(testReplica(2), 3), mark: Bytes16(high: 1, low: 3)),
    ]
    let run = ChangeRun(
        replica: testReplica(1), firstSequence: 3, previous: Bytes16(high: 9, low: 8),
        changes: [[1, 2], [], [UInt8](repeating: 7, count: 300)], signature: testSignature)
    let branch = ChangeRun(
        replica: testReplica(1), chain: testReplica(77), firstSequence: 3, previous: Bytes16(high: 9, low: 8),
        changes: [[1, 2]], signature: testSignature)
    let hello = Hello(
        levels: 0...2, features: ["bundles", "text"], vocabularyLevel: 1,
        incarnation: Bytes16(high: 1, low: 2),
        clock: 1_700_000_000_000, nodeName: "Madrid, sede", addresses: ["madrid.example:7443"],
        spaces: [
            SpaceHead(space: testSpace(1)), SpaceHead(space: testSpace(3), replica: testReplica(1)),
            SpaceHead(
                space: testSpace(2), replica: testReplica(1),
                head: .init(sequence: 9, hash: SHA256.hash([4]))),
        ].sorted { $0.space < $1.space })
    return [
        .hello(hello),
        .hello(
            Hello(
                vocabularyLevel: 0, incarnation: Bytes16(high: 0, low: 0), clock: 0, nodeName: "",
                addresses: [],
                spaces: [])),
        .summary(space, Summary(heldHash: SHA256.hash([1]), digest: nil, changeCount: 0)),
        .summary(space, Summary(heldHash: SHA256.hash([1]), digest: SHA256.hash([2]), changeCount: .max)),
        .vector(space, []), .vector(space, heads), .changes(space, [run]),
        .changes(space, [run, branch]), .acknowledge(space, vector),
        .receipts(space, [testReceipt(1, space: space, at: 5)]),
        .flow(space, .hold, VersionVector()), .flow(space, .all, vector), .announce(space, vector),
        .want(
            space,
            [
                ChainSpan(chain: testReplica(1), from: 0, upTo: 3),
                ChainSpan(chain: testReplica(2), from: 4, upTo: 5),
            ]),
        .sketch(space, HeadSketch(heads, bits: 2, salt: [1])),
        .error(code: "E-3001", faultClass: .fault, sentence: "a change is not canonical"),
        .goodbye(code: "", sentence: "the node stops"), .ping(0), .pong(.max), .ignored(type: 64),
    ]
}()

@Suite("Messages")
struct MessageTests {
    @Test("every message is read back as it was written", arguments: samples)
    func roundTrip(message: Message) throws {
        let bytes = message.encoded()
        let read = try Message(encoded: bytes)
        #expect(read == message)
        #expect(read.encoded() == bytes)
    }

    @Test("a message that is cut short, or followed by a byte, is refused", arguments: samples)
    func truncated(message: Message) {
        let bytes = message.encoded()
        for count in 0..<bytes.count {
            #expect(throws: ConcordError.self) { try Message(encoded: Array(bytes[..<count])) }
        }
        #expect(throws: ConcordError.self) { try Message(encoded: bytes + [0]) }
    }

    @Test(
        "altered bytes are refused, or are another message in its one encoding",
        arguments: 1...40 as ClosedRange<UInt64>)
    func altered(seed: UInt64) {
        var random = TestRandom(seed: seed)
        for message in samples {
            var bytes = message.encoded()
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            guard let read = try? Message(encoded: bytes) else { continue }
            if case .ignored = read { continue }
            #expect(read.encoded() == bytes, "seed \(seed)")
        }
    }

    @Test("a later level's message is read past, whatever it holds")
    func ignored() throws {
        var writer = CBORWriter()
        writer.array(3)
        writer.unsigned(70)
        writer.text("x")
        writer.array(1)
        writer.byteString([1])
        #expect(try Message(encoded: writer.bytes) == .ignored(type: 70))
    }

    /// Encodes `[type, …]` with hand-written parts.
    private func frame(_ type: UInt64, _ parts: [(inout CBORWriter) -> Void]) -> [UInt8] {
        var writer = CBORWriter()
        writer.array(parts.count + 1)
        writer.unsigned(type)
        for part in parts { part(&writer) }
        return writer.bytes
    }

    private func expectRefused(_ bytes: [UInt8], _ code: ErrorCode, _ comment: Comment) {
        do {
            _ = try Message(encoded: bytes)
            Issue.record(comment)
        } catch let error as ConcordError {
            #expect(error.code == code, comment)
        } catch {
            Issue.record(error)
        }
    }

    @Test("what is out of order, out of range or beyond a limit is refused")
    func refused() {
        let space: (inout CBORWriter) -> Void = { $0.digest(testSpace(1).digest) }
        func heads(_ dots: [Dot], mark: UInt64 = 1) -> (inout CBORWriter) -> Void {
            { $0.dependencies(dots.map { Dependency($0, mark: Bytes16(high: 0, low: mark)) }) }
        }
        func receipts(_ count: Int, of space: SpaceID) -> (inout CBORWriter) -> Void {
            let bytes = testReceipt(1, space: space, at: 5).encoded
            return {
                $0.array(count)
                for _ in 0..<count { $0.encoded(bytes) }
            }
        }
        func dots(_ dots: [Dot]) -> (inout CBORWriter) -> Void { { $0.dots(dots) } }
        func run(
            _ first: UInt64, _ changes: Int, signature: [UInt8] = testSignature.bytes, chain: [UInt8] = [],
            previous: Int = 16
        ) -> (inout CBORWriter) -> Void {
            {
                $0.array(6)
                $0.byteString(testReplica(1).bytes)
                $0.byteString(chain)
                $0.unsigned(first)
                $0.byteString([UInt8](repeating: 3, count: previous))
                $0.array(changes)
                for _ in 0..<changes { $0.byteString([1]) }
                $0.byteString(signature)
            }
        }
        func runs(_ runs: [(inout CBORWriter) -> Void]) -> (inout CBORWriter) -> Void {
            { writer in
                writer.array(runs.count)
                for run in runs { run(&writer) }
            }
        }
        let (a, b) = (testReplica(1), testReplica(2))
        let highS = [UInt8](repeating: 1, count: 32) + [UInt8](repeating: 0xee, count: 32)
        let malformed: [(String, [UInt8])] = [
            ("nothing", []), ("an empty array", [0x80]), ("no array", [0x00]),
            ("an unknown type", frame(10, [])),
            ("type 63", frame(63, [])), ("a map", [0xa0]),
            ("descending heads", frame(2, [space, heads([Dot(b, 1), Dot(a, 1)])])),
            ("a head twice", frame(2, [space, heads([Dot(a, 1), Dot(a, 1)])])),
            ("a head of number 0", frame(2, [space, heads([Dot(a, 0)])])),
            ("a head without a mark", frame(2, [space, dots([Dot(a, 1)])])),
            ("descending replicas", frame(4, [space, dots([Dot(b, 1), Dot(a, 1)])])),
            ("a replica twice", frame(4, [space, dots([Dot(a, 1), Dot(a, 2)])])),
            ("a chain that bears its replica's id", frame(3, [space, runs([run(1, 1, chain: a.bytes)])])),
            ("half a chain's name", frame(3, [space, runs([run(1, 1, chain: [1, 2, 3])])])),
            ("half a mark", frame(3, [space, runs([run(1, 1, previous: 8)])])),
            ("no receipts", frame(9, [space, { $0.array(0) }])),
            ("a receipt of another space", frame(9, [space, receipts(1, of: testSpace(2))])),
            ("sequence 0", frame(4, [space, dots([Dot(a, 0)])])),
            ("sequence 2⁶³", frame(4, [space, dots([Dot(a, 1 << 63)])])),
            ("no runs", frame(3, [space, runs([])])), ("an empty run", frame(3, [space, runs([run(1, 0)])])),
            ("a run from 0", frame(3, [space, runs([run(0, 1)])])),
            ("a run up to 2⁶³", frame(3, [space, runs([run(UInt64(Int64.max), 2)])])),
            ("a high s", frame(3, [space, runs([run(1, 1, signature: highS)])])),
            ("a part too many", frame(7, [{ $0.unsigned(1) }, { $0.unsigned(1) }])),
            ("an unknown class", frame(5, [{ $0.text("E-1") }, { $0.unsigned(3) }, { $0.text("") }])),
            ("half a hash", frame(1, [space, space, { $0.byteString([1, 2]) }, { $0.unsigned(1) }])),
        ]
        for (comment, bytes) in malformed { expectRefused(bytes, .malformedFrame, "\(comment) is accepted") }
        let limits: [(String, [UInt8])] = [
            ("a frame of 1 MiB and a byte", [UInt8](repeating: 0, count: SyncLimits.frameBytes + 1)),
            ("8,193 runs", frame(3, [space, runs((0...8192).map { _ in run(1, 1) })])),
            (
                "a change beyond the limit",
                frame(
                    3,
                    [
                        space,
                        runs([
                            {
                                $0.array(6)
                                $0.byteString(testReplica(1).bytes)
                                $0.byteString([])
                                $0.unsigned(1)
                                $0.byteString([UInt8](repeating: 0, count: 16))
                                $0.array(1)
                                $0.byteString(
                                    [UInt8](
                                        repeating: 0, count: Limits.changeBytes + Limits.erasedPartsBytes + 1)
                                )
                                $0.byteString(testSignature.bytes)
                            }
                        ]),
                    ])
            ),
            (
                "a long sentence",
                frame(6, [{ $0.text("") }, { $0.text(String(repeating: "x", count: 513)) }])
            ),
            ("16,385 heads", frame(2, [space, heads((1...16_385).map { Dot(testReplica($0), 1) })])),
            ("16,385 replicas", frame(4, [space, dots((1...16_385).map { Dot(testReplica($0), 1) })])),
            ("257 receipts", frame(9, [space, receipts(257, of: testSpace(1))])),
        ]
        for (comment, bytes) in limits { expectRefused(bytes, .limitExceeded, "\(comment) is accepted") }
    }
}
