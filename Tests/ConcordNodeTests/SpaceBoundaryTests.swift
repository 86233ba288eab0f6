// What stands in a space stays among its members: a peer that shares another space with this node, and asks for more,
// reads everything that it is sent.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import ConcordTransport
import Testing

@testable import ConcordNode

@Suite("The boundary of a space")
struct SpaceBoundaryTests {
    @Test(
        "nothing of a space, neither content nor name nor count, reaches a node whose member is not on its roster"
    )
    func curiousPeer() async throws {
        let (spain, germany, france) = (try TestMember("ESP"), try TestMember("DEU"), try TestMember("FRA"))
        let shared = try spain.charter("Focal Points", with: [germany])
        let secret = try spain.charter("Troika of Three", with: [france])
        let (madrid, berlin) = (try await PeerNode(spain, shared), try await PeerNode(germany, shared))
        let (common, hidden) = (shared.charter.space, secret.charter.space)
        _ = try await madrid.store.addSpace(secret)
        let signer = try madrid.home.signer()
        for (space, title) in [(common, "Public meeting"), (hidden, "Secret meeting")] {
            _ = try await madrid.store.write(
                [.create(kind: "meeting", fields: [.set("title", .text(UTF8Text(title)))])], in: space,
                by: signer,
                author: "ana", now: testNow)
        }
        for node in [madrid, berlin] { await node.start() }
        let replica = try #require(try madrid.store.ownHead(hidden))

        // It knows the id of the other space, names it as shared, and asks for everything.
        var names = SpaceNames()
        names.share([common])
        var received: [[UInt8]] = []
        for asked in [[common], [common, hidden].sorted(), [hidden]] {
            let connection = try await berlin.dial(madrid)
            let hello = Hello(
                vocabularyLevel: Vocabulary.level,
                incarnation: try #require(Bytes16(try Randomness.bytes(16))),
                clock: testNow, nodeName: "x", addresses: [], spaces: asked.map { SpaceHead(space: $0) })
            let summary = Summary(heldHash: SHA256.hash([1]), digest: nil, changeCount: 0)
            do {
                try await connection.send(Message.hello(hello).encoded())
                for space in asked {
                    try await connection.send(Message.summary(space, summary).encoded())
                    try await connection.send(Message.vector(space, []).encoded())
                }
                for try await frame in connection.frames() {
                    received.append(frame)
                    if try asked == [common] && Self.holdsChanges(names.expanded(frame)) { break }
                }
            } catch is TransportError {
                // Madrid ended it.
            }
            await connection.close()
        }
        let bytes = received.flatMap { $0 }
        #expect(contains(bytes, Array("Public meeting".utf8)), "the shared space is exchanged")
        let forbidden: [(what: String, bytes: [UInt8])] = [
            ("title", Array("Secret meeting".utf8)), ("name", Array("Troika".utf8)),
            ("id", Array(hidden.digest.bytes.prefix(SpaceNames.shortBytes))),
            ("charter", secret.charter.encoded), ("replica", replica.replica.bytes),
            ("head", replica.hash.bytes),
            ("member", france.id.digest.bytes), ("authority", france.authority.der),
        ]
        for item in forbidden { #expect(!contains(bytes, item.bytes), "\(item.what)") }
        // In what was sent for people a code and a sentence may stand, and no number of the other space.
        #expect(try berlin.store.spaces().map(\.id) == [common])
        for node in [madrid, berlin] { try await node.stop() }
    }

    private static func holdsChanges(_ frame: [UInt8]) throws -> Bool {
        if case .changes = try Message(encoded: frame) { true } else { false }
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, bytes.count >= part.count else { return false }
        return bytes.indices.dropLast(part.count - 1).contains { index in
            bytes[index] == first && bytes[index..<index + part.count].elementsEqual(part)
        }
    }
}
