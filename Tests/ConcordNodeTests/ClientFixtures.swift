// What the tests of the client share: a daemon that answers as it is told, and documents to be shown.

import ConcordAPI
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Listens on a Unix socket and answers every connection in the same way, whatever is asked.
final class ScriptedDaemon: Sendable {
    /// What happens on a connection once something has arrived.
    enum Reply: Sendable {
        /// The bytes, and the connection stays open.
        case text(String)
        /// The bytes, and then the connection is closed.
        case textThenClose(String)
        /// The head, and then blocks of this many bytes until the other side closes.
        case endless(head: String, block: Int)
        /// Nothing.
        case silence
    }

    let path: String
    private let arrived = Mutex("")

    /// What arrived, all connections together.
    var received: String { arrived.withLock { $0 } }

    private init() { path = Self.temporaryPath() }

    /// Runs `body` while a daemon answers with `reply`.
    static func run<Result>(
        _ reply: Reply, _ body: (ScriptedDaemon) async throws -> Result
    ) async throws -> Result {
        let daemon = ScriptedDaemon()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Script(reply: reply, daemon: daemon))
                }
            }
            .bind(unixDomainSocketPath: daemon.path).get()
        defer { unlink(daemon.path) }
        do {
            let result = try await body(daemon)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    /// A path on which nobody listens.
    static func temporaryPath() -> String { "/tmp/concord-client-\(UUID().uuidString.prefix(13)).sock" }

    private final class Script: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let reply: Reply
        private let daemon: ScriptedDaemon
        private var hasAnswered = false

        init(reply: Reply, daemon: ScriptedDaemon) {
            self.reply = reply
            self.daemon = daemon
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(decoding: unwrapInboundIn(data).readableBytesView, as: UTF8.self)
            daemon.arrived.withLock { $0 += text }
            guard !hasAnswered else { return }
            hasAnswered = true
            switch reply {
            case .text(let text): write(text, context)
            case .textThenClose(let text):
                write(text, context)
                context.close(promise: nil)
            case .endless(let head, let block):
                write(head, context)
                writeOn(block, context)
            case .silence: break
            }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }

        private func writeOn(_ block: Int, _ context: ChannelHandlerContext) {
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 0x20, count: block))).whenSuccess {
                let (script, context) = bound.value
                script.writeOn(block, context)
            }
        }
    }
}

/// An HTTP response with a JSON body.
func sampleResponse(_ status: String, _ body: String) -> String {
    "HTTP/1.1 \(status)\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
}

// MARK: Documents

/// A peer in the given state.
func samplePeer(
    _ member: String?, _ name: String? = nil, node: String? = "node",
    state: StatusDocument.Peer.State = .connected,
    theyLack: Int64? = 0, weLack: Int64? = 0, heard: String? = "2026-11-22T11:59:56.000Z",
    road: StatusDocument.Road = .init(kind: "direct"), address: String? = "127.0.0.1:7444",
    error: StatusDocument.LastError? = nil
) -> StatusDocument.Peer {
    .init(
        member: member, memberName: name, node: node, address: address, road: road, state: state,
        lastHeardAt: heard,
        spaces: member == nil ? [] : [.init(id: "5c1e77a0", theyLack: theyLack, weLack: weLack, asOf: nil)],
        roundTripMilliseconds: state == .connected ? 231 : nil,
        reach: state == .connected ? "########" : "........",
        bytesReceived: 0, bytesSent: 0, lastError: error)
}

/// A member that is known only through others.
func sampleUnmetPeer(_ member: String, _ name: String? = nil) -> StatusDocument.Peer {
    samplePeer(
        member, name, node: nil, state: .silent, theyLack: nil, weLack: nil, heard: nil,
        road: .init(kind: "none"),
        address: nil)
}

/// The status of Spain's node at noon.
func sampleStatus(
    _ peers: [StatusDocument.Peer], verdict: StatusDocument.Verdict = .inStep,
    attention: [StatusDocument.Attention] = [], uptime: Int64? = 1_036_900, spaceName: String = "WPS",
    conflicts: Int64 = 0
) -> StatusDocument {
    let replica = "00112233445566778899aabbccddeeff"
    return StatusDocument(
        at: "2026-11-22T12:00:00.000Z", verdict: verdict,
        node: .init(
            member: "ESP", memberName: "Spain", name: "madrid",
            id: "3f2ac21e" + String(repeating: "0", count: 56),
            version: "0.1.0", protocol: 0, uptimeSeconds: uptime,
            certificate: .init(expiresAt: "2029-11-22T00:00:00.000Z", daysLeft: 1095),
            listening: ["127.0.0.1:7443"]),
        spaces: [
            .init(
                id: "5c1e77a0", name: spaceName, replica: replica, changes: 4210, records: 1607,
                conflicts: conflicts,
                kinds: ["contact": 1312, "meeting": 207, "document": 88],
                digest: "5c1e77a0" + String(repeating: "1", count: 56), versionVector: [replica: 1184],
                heldByAll: 966)
        ],
        peers: peers, attention: attention,
        storage: .init(databaseBytes: 63_000_000, blobBytes: 0, freeBytes: 212_000_000_000),
        backup: .init(lastAt: "2026-11-22T02:10:00.000Z", verified: true))
}

/// A contact with one field in conflict.
func sampleContact(
    id: String = "019ab2c3-0000-7000-8000-000000000001", name: String = "Ana", conflicted: Bool = false
) -> RecordDocument {
    func candidate(_ value: String, _ member: String) -> ConflictDocument.Candidate {
        .init(
            value: .string(value), member: member, node: member.lowercased(), author: "root",
            at: "2026-11-22T11:00:00.000Z", dot: "00:1")
    }
    let values = [candidate("adviser", "ESP"), candidate("director", "DEU")]
    return RecordDocument(
        id: id, kind: "contact", space: "5c1e77a0", parent: nil, owner: "ESP", version: "0123456789abcdef",
        title: name, shown: true, editedWhileDeleted: false,
        fields: [
            "name": .string(name), "position": .string("adviser"), "areas": .array([.string("mediation")]),
        ],
        conflicts: conflicted ? [.init(field: "position", values: values)] : [],
        createdAt: "2026-11-22T10:00:00.000Z", updatedAt: "2026-11-22T11:00:00.000Z")
}
