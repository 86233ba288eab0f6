// A replica in a temporary folder, with the node that writes there, without daemon and network: for measuring the store
// alone.

import ConcordCrypto
import ConcordModel
import ConcordSimulator
import ConcordStore
import Foundation

/// A folder that goes with this value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("concord-bench-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A space that measurements share, founded by the first simulated member.
struct BenchSpace: Sendable {
    let founders: [SimulatedIdentity]
    let charter: SignedCharter

    init(members: Int = 2) throws {
        founders = try (0..<members).map { try SimulatedIdentity($0) }
        charter = try SignedCharter(
            charter: Charter(
                name: "Measured", timestamp: 1,
                founders: try founders.map { try MemberStatement(authority: $0.authority) },
                admissionThreshold: 1, suspensionThreshold: 2), key: founders[0].authorityKey)
    }
}

extension BenchSpace {
    /// One more node of a member.
    func node(_ name: String, of member: Int) throws -> any NodeSigner {
        let (founder, key) = (founders[member], try PrivateKey.generate())
        let certificate = try CertificateIssuer.node(
            commonName: name, publicKey: key.publicKey, purpose: .signing, issuer: founder.authority,
            issuerKey: founder.authorityKey, notBefore: 1_700_000_000, notAfter: 2_500_000_000)
        return MadeNode(certificate: certificate, member: founder.member, key: key)
    }

    private struct MadeNode: NodeSigner {
        let certificate: Certificate
        let member: MemberID
        let key: PrivateKey

        func sign(_ hash: Digest) throws -> ConcordCrypto.Signature { try key.sign(hash, as: .change) }
    }
}

/// A replica of one of the members.
final class BenchReplica: Sendable {
    let store: ReplicaStore
    let space: SpaceID
    private let signer: any NodeSigner
    private let folder: TemporaryFolder

    init(_ shared: BenchSpace, member: Int) async throws {
        folder = try TemporaryFolder()
        store = try ReplicaStore(path: folder.path + "/replica.db")
        space = try await store.addSpace(shared.charter, inviterAuthority: nil)
        signer = shared.founders[member].signer
    }

    /// Writes drafts, each as one change, and gives back what they created.
    ///
    /// - Parameter node: who writes; nil for the replica's own node.
    func write(_ drafts: [Draft], by node: (any NodeSigner)? = nil) async throws -> [RecordID] {
        let signer = node ?? signer
        var created: [RecordID] = []
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        for result in try await store.write(drafts, in: space, by: signer, author: "bench", now: now) {
            created += try result.get().created
        }
        return created
    }

    /// Everything after a place in the log that a peer lacks who holds nothing beyond it, in frames as a session sends
    /// them.
    func frames(after start: Int64 = 0, excluding known: VersionVector = VersionVector()) throws
        -> [[ChangeRun]]
    {
        var frames: [[ChangeRun]] = []
        var position = start
        while true {
            let slice = try store.slice(space, after: position, excluding: known, maximumBytes: 256 << 10)
            if !slice.runs.isEmpty { frames.append(slice.runs) }
            if slice.isLast { return frames }
            position = slice.position
        }
    }

    /// Takes in frames, as many on their way at a time as a session's window holds.
    func receive(_ frames: [[ChangeRun]]) async throws {
        var pending: [ReplicaStore.PendingReceipt] = []
        func settle() async throws {
            let outcome = try await pending.removeFirst().outcome()
            guard outcome.refusal == nil, outcome.heldBack == 0 else {
                throw BenchError("what one replica wrote, the other does not take")
            }
        }
        for frame in frames {
            pending.append(try await store.admit(frame, in: space))
            if pending.count == 8 { try await settle() }
        }
        while !pending.isEmpty { try await settle() }
    }

    /// The place of the latest change in the log.
    var position: Int64 { get throws { try store.held(space).position } }

    /// Opens the replica a second time, to read, and says how long that takes, in milliseconds.
    func reopen() throws -> Double {
        try Stopwatch.measure {
            try ReplicaStore(path: folder.path + "/replica.db", options: .init(readOnly: true)).close()
        }.milliseconds
    }

    /// Closes the replica for good and says how long it takes to open it again, in seconds.
    func timeToOpen() throws -> Double {
        try store.close()
        return try Stopwatch.measure { try ReplicaStore(path: folder.path + "/replica.db").close() }
            .milliseconds / 1000
    }

    /// The bytes of the database's pages.
    func databaseBytes() throws -> Int { try PlainDatabase.bytes(of: folder.path + "/replica.db") }
}
