import CBOR
import ConcordModel
import SyncSupport
import Testing

@testable import ConcordSync

@Suite("Packed frames")
struct PackingTests {
    private func text(_ count: Int, _ random: inout TestRandom) -> [UInt8] {
        let words = ["focal", "point", "Ministry of ", "women", ", peace ", "and", " security", "2026-11-"]
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += words[Int.random(in: 0..<words.count, using: &random)].utf8
            if random.chance(30) { bytes.append(UInt8.random(in: 0...255, using: &random)) }
        }
        return Array(bytes.prefix(count))
    }

    @Test("what is compressed expands to the same bytes", arguments: 1...40 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var inputs: [[UInt8]] = (0..<40).map { count in (0..<count).map { _ in random.chance(50) ? 1 : 2 } }
        inputs.append((0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) })
        inputs.append([UInt8](repeating: 9, count: Int.random(in: 0...300_000, using: &random)))
        inputs.append(text(Int.random(in: 0...200_000, using: &random), &random))
        for input in inputs {
            let block = LZ4Block.compressed(input)
            #expect(LZ4Block.expanded(block, count: input.count) == input)
            #expect(LZ4Block.expanded(block, count: input.count + 1) == nil)
            #expect(LZ4Block.expanded(block, count: max(0, input.count - 1)) == nil || input.isEmpty)
            #expect(block.count <= input.count + input.count / 255 + 16)
        }
    }

    @Test("a block of the format's description is read, with a match that reaches into itself")
    func foreign() {
        // Three literals, then eleven bytes from three before, then five literals.
        let block: [UInt8] = [0x37, 97, 98, 99, 3, 0, 0x50] + Array("defgh".utf8)
        #expect(LZ4Block.expanded(block, count: 19) == Array("abcabcabcabcabdefgh".utf8))
    }

    @Test("whatever is altered or cut in a block, nothing is read or written beyond the ends")
    func damaged() {
        var random = TestRandom(seed: 77)
        let input = text(3000, &random)
        let block = LZ4Block.compressed(input)
        for count in block.indices { #expect(LZ4Block.expanded(Array(block[..<count]), count: 3000) == nil) }
        for _ in 0..<20_000 {
            var altered = block
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                altered[Int.random(in: altered.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if let found = LZ4Block.expanded(altered, count: 3000) { #expect(found.count == 3000) }
        }
        for block: [UInt8] in [[], [0x10], [0xf0], [0xf0, 255], [0x04, 0, 0], [0x14, 65, 2, 0, 0], [0x01]] {
            #expect(LZ4Block.expanded(block, count: 4) == nil)
        }
    }

    private func changes() -> Message {
        var replica = FakeReplica(1)
        replica.write(50, payload: 100)
        return .changes(
            testSpace(1),
            replica.slice(after: 0, excluding: VersionVector(), maximumBytes: 100_000).runs)
    }

    @Test("a packed frame is read as the changes that it stands for, and counted as them")
    func frame() throws {
        let frame = changes().encoded()
        let packed = try #require(Message.packed(frame))
        #expect(packed.count < frame.count)
        #expect(try Message(encoded: packed) == changes())
        #expect(Message.unpackedCount(packed) == frame.count)
        #expect(Message.unpackedCount(frame) == frame.count)
        #expect(Message.packed(Message.ping(1).encoded()) == nil)
        for count in packed.indices {
            #expect(throws: ConcordError.self) { try Message(encoded: Array(packed[..<count])) }
        }
    }

    @Test("what does not stand for changes, or for more than a frame may hold, is refused")
    func refused() {
        func packed(_ frame: [UInt8], count: Int? = nil) -> [UInt8] {
            var writer = CBORWriter()
            writer.array(3)
            writer.unsigned(10)
            writer.unsigned(UInt64(count ?? frame.count))
            writer.byteString(LZ4Block.compressed(frame))
            return writer.bytes
        }
        let cases: [([UInt8], ErrorCode)] = [
            (packed(Message.ping(1).encoded()), .malformedFrame),
            (packed(packed(changes().encoded())), .malformedFrame),
            (packed([0x83, 3]), .malformedFrame),
            (packed([]), .malformedFrame),
            (packed(changes().encoded(), count: 7), .malformedFrame),
            (packed([UInt8](repeating: 3, count: SyncLimits.frameBytes + 1)), .limitExceeded),
        ]
        for (frame, code) in cases {
            let error = #expect(throws: ConcordError.self) { try Message(encoded: frame) }
            #expect(error?.code == code)
        }
    }

    @Test("a packed frame that nobody asked for is a fault")
    func unasked() throws {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.frame(try #require(Message.packed(changes().encoded()))))
        #expect(probe.end?.code == ErrorCode.unexpectedMessage.rawValue)
        #expect(probe.end?.faultClass == .fault)
    }

    @Test("on a long way frames are packed if both sides read that, on a short one they are not")
    func negotiated() {
        let long = TimedShape()
        let short = TimedShape(bytesPerSecond: 10_000_000, roundTrip: 1)
        for (shape, packing, isShort) in [(long, true, true), (long, false, false), (short, true, false)] {
            var link = TimedLink(shape, seed: 4, packing: packing)
            for _ in 0..<20 { link.write(0, count: 20, payload: 100) }
            link.connect()
            _ = link.run { $0.changes(1) == 400 }
            #expect(link.ends.isEmpty)
            #expect((link.sentBytes[0] < 30_000) == isShort, "\(link.sentBytes)")
        }
    }
}
