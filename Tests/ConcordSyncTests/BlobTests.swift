// Attachments between two sessions: bytes move and changes do not wait for them; every answer has its question; what a
// hostile peer can do is bounded.

import ConcordCrypto
import ConcordModel
import SyncSupport
import Testing

@testable import ConcordSync

private let space = testSpace(1)
private let blob = BlobID(SHA256.hash([1]))

private func place(_ offset: Int64 = 0, _ part: BlobPart = .content, in space: SpaceID = space) -> BlobPlace {
    BlobPlace(space: space, blob: blob, part: part, offset: offset)
}

extension Probe {
    /// The peer has everything: no change waits.
    fileprivate mutating func startQuiet() {
        say(Self.hello(), .summary(space, Summary(replica.held().summary, digest: nil)))
    }

    fileprivate var blobEffects: [BlobEffect] {
        effects.compactMap { if case .blob(let effect) = $0 { effect } else { nil } }
    }

    fileprivate var wants: [(place: BlobPlace, byteCount: Int)] {
        sent.compactMap {
            if case .blob(.fetch(let place, let byteCount)) = $0 { (place, byteCount) } else { nil }
        }
    }

    fileprivate mutating func fetch(_ id: UInt64, _ place: BlobPlace, _ byteCount: Int64) {
        feed(.blob(.fetch(BlobOrder(id: id, place: place, byteCount: byteCount))))
    }

    fileprivate mutating func piece(_ place: BlobPlace, _ count: Int, of total: Int64 = 1 << 20) {
        say(.blob(.piece(place, BlobBytes(Array(repeating: 5, count: count), of: total))))
    }
}

@Suite("Attachments in a session")
struct BlobTests {
    @Test("every message is read as it was written")
    func coding() throws {
        let messages: [BlobMessage] = [
            .fetch(place(1 << 39), byteCount: SyncLimits.largestPieceBytes),
            .fetch(place(0, .manifest), byteCount: 1),
            .piece(place(7), BlobBytes([1, 2, 3], of: 10)), .lacking(place(9, .manifest)),
            .holding(space, blob),
        ]
        for message in messages {
            #expect(try Message(encoded: Message.blob(message).encoded()) == .blob(message))
        }
    }

    @Test(
        "what lies outside of a file, or is too much at once, is refused",
        arguments: [
            (BlobMessage.fetch(place(), byteCount: 0), ErrorCode.malformedFrame),
            (.fetch(place(), byteCount: SyncLimits.largestPieceBytes + 1), .limitExceeded),
            (.fetch(place(Int64(BlobLimits.blobBytes) + 1), byteCount: 1), .limitExceeded),
            (.fetch(place(Int64(BlobLimits.manifestBytes) + 1, .manifest), byteCount: 1), .limitExceeded),
            (.piece(place(8), BlobBytes([1, 2, 3], of: 10)), .malformedFrame),
            (.piece(place(8), BlobBytes([], of: 10)), .malformedFrame),
        ])
    func refusals(_ message: BlobMessage, _ code: ErrorCode) {
        #expect {
            try Message(encoded: Message.blob(message).encoded())
        } throws: { ($0 as? ConcordError)?.code == code }
    }

    @Test("an order is fetched in its order, and room is asked for once")
    func fetching() {
        let piece = SyncLimits.smallestPieceBytes
        var probe = Probe()
        probe.startStreaming()
        #expect(probe.blobEffects == [.room(byteCount: piece, window: piece, after: 0)])
        probe.fetch(1, place(), 10_000)
        #expect(probe.wants.map(\.byteCount) == [piece])
        probe.piece(place(), piece)
        let stored = BlobBytes(Array(repeating: 5, count: piece), of: 1 << 20)
        #expect(probe.blobEffects.contains(.store(1, place(), stored)))
        probe.feed(.blob(.stored(1, byteCount: piece)))
        #expect(probe.wants.map(\.place.offset) == [0, Int64(piece), Int64(2 * piece)])
        #expect(probe.end == nil)
    }

    @Test("what was cancelled is awaited and dropped")
    func cancelling() {
        let piece = SyncLimits.smallestPieceBytes
        var probe = Probe()
        probe.startStreaming()
        probe.fetch(1, place(), Int64(piece))
        probe.feed(.blob(.cancel(1)))
        probe.fetch(2, place(Int64(2 * piece)), Int64(piece))
        let before = probe.blobEffects.count
        probe.piece(place(), piece)
        #expect(probe.blobEffects.dropFirst(before).allSatisfy { if case .room = $0 { true } else { false } })
        #expect(probe.wants.map(\.place.offset) == [0, Int64(2 * piece)])
        #expect(probe.end == nil)
    }

    @Test("pieces that nobody asked for, or of another length, are a fault")
    func unasked() {
        var probe = Probe()
        probe.startStreaming()
        probe.piece(place(), 10)
        #expect(probe.end?.code == ErrorCode.unexpectedMessage.rawValue)
        probe = Probe()
        probe.startStreaming()
        probe.fetch(1, place(), 4096)
        probe.piece(place(), 4095)
        #expect(probe.end?.code == ErrorCode.unexpectedMessage.rawValue)
        probe = Probe()
        probe.startStreaming()
        probe.say(.blob(.lacking(place())))
        #expect(probe.end?.code == ErrorCode.unexpectedMessage.rawValue)
    }

    @Test("a file of another length than its record says is not taken")
    func otherLength() {
        var probe = Probe()
        probe.startStreaming()
        probe.fetch(1, place(0, .manifest), 100)
        probe.piece(place(0, .manifest), 60, of: 60)
        #expect(probe.blobEffects.contains(.lacking(1)))
        #expect(probe.end == nil)
    }

    @Test("a flood of questions ends the session, and no more is read ahead than a little")
    func flood() {
        var probe = Probe()
        probe.startQuiet()
        for index in 0..<SyncLimits.piecesAsked {
            probe.say(.blob(.fetch(place(Int64(index)), byteCount: 10)))
        }
        #expect(probe.end == nil)
        #expect(probe.blobEffects.count { if case .read = $0 { true } else { false } } == 2)
        probe.say(.blob(.fetch(place(), byteCount: 10)))
        #expect(probe.end?.code == ErrorCode.limitExceeded.rawValue)
    }

    @Test("questions about spaces that are not shared are a fault")
    func otherSpace() {
        var probe = Probe()
        probe.startStreaming()
        probe.say(.blob(.fetch(place(in: testSpace(2)), byteCount: 10)))
        #expect(probe.end?.code == ErrorCode.unknownSpace.rawValue)
    }

    @Test("who asked in vain is told when the file is there, and once")
    func telling() {
        var probe = Probe()
        probe.startQuiet()
        probe.say(.blob(.fetch(place(), byteCount: 10)))
        probe.feed(.blob(.read(place(), nil)))
        #expect(probe.sent.last == .blob(.lacking(place())))
        for _ in 0..<2 { probe.feed(.blob(.held(space, blob))) }
        #expect(probe.sent.count { $0 == .blob(.holding(space, blob)) } == 1)
    }

    @Test("word of files that the peer did not lack is not passed on")
    func unaskedNews() {
        var probe = Probe()
        probe.startStreaming()
        for _ in 0..<10 { probe.say(.blob(.holding(space, blob))) }
        #expect(!probe.blobEffects.contains { if case .holding = $0 { true } else { false } })
        probe.fetch(1, place(), 10)
        probe.say(.blob(.lacking(place())), .blob(.holding(space, blob)), .blob(.holding(space, blob)))
        #expect(probe.blobEffects.count { $0 == .holding(space, blob) } == 1)
    }

    @Test("files wait while changes do")
    func changesFirst() {
        var probe = Probe()
        probe.answersReadings = true
        probe.startStreaming()
        // The slice that was asked for is not there yet: a change is about to be sent.
        #expect(probe.effects.contains { if case .readSlice = $0 { true } else { false } })
        probe.say(.blob(.fetch(place(), byteCount: 10)))
        #expect(!probe.blobEffects.contains { if case .read = $0 { true } else { false } })
        probe.feed(
            .slice(space, probe.replica.slice(after: 0, excluding: VersionVector(), maximumBytes: 1 << 20)))
        #expect(probe.blobEffects.contains { if case .read = $0 { true } else { false } })
    }
}

@Suite("Attachments on a thin link")
struct BlobPacingTests {
    @Test("at 64 kbit/s and 600 ms a file does not delay a change by more than two seconds")
    func thinLink() {
        var link = BlobLink(bytesPerSecond: 8000, delay: 300, fileBytes: 600 << 10)
        let moments = stride(from: Int64(5_000), to: 80_000, by: 1_700)
        for moment in moments { link.write(at: moment) }
        link.run(atMost: 400_000)
        #expect(link.received == link.file)
        #expect(link.changeDelays.count == Array(moments).count)
        // Alone, a change takes half a round trip and the few milliseconds of its own bytes.
        let longest = link.changeDelays.max() ?? .max
        #expect(longest <= 1_900, "a change took \(longest) ms")
        // The link is used well all the same.
        let needed = Int64(link.file.count / 8)
        #expect(link.now < needed * 10 / 7, "\(link.now) ms for what needs \(needed) ms")
    }

    @Test("on a fast link pieces grow")
    func fastLink() {
        var link = BlobLink(bytesPerSecond: 12_500_000, delay: 20, fileBytes: 24 << 20)
        link.run(atMost: 60_000)
        #expect(link.received == link.file)
        #expect(link.pieceSizes.max() == SyncLimits.largestPieceBytes)
        #expect(link.now < 4_000, "\(link.now) ms for what needs 2 s")
    }

    @Test("a window that was never in use does not grow")
    func validation() {
        var window = PieceWindow()
        for index in 0..<100 {
            window.arrived(byteCount: 100, requestedAt: Int64(index), outstanding: 100, now: Int64(index) + 1)
        }
        #expect(window.bytes == SyncLimits.smallestPieceBytes)
    }
}
