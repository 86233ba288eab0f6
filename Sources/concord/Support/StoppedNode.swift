// The status of a node whose daemon does not run, read from its files and nothing else. Nothing is written.

import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode
import ConcordStore
import Foundation

/// A node whose daemon cannot be reached.
struct StoppedNode {
    let home: NodeHome
    /// Why it cannot be reached.
    let reason: ConcordError

    /// What the files say.
    func status() async throws -> StatusDocument {
        let identity = try home.certificates()
        let now = WallClock.milliseconds()
        let expires = identity.nodeCertificate.notAfter
        let node = StatusDocument.Node(
            member: identity.memberCode, memberName: identity.memberName, name: identity.nodeName,
            id: identity.nodeID.description, version: NodeVersion.text,
            protocol: 0, uptimeSeconds: nil,
            certificate: StatusDocument.Certificate(
                expiresAt: Timestamp.text(milliseconds: expires * 1000),
                daysLeft: (expires - now / 1000) / 86_400),
            listening: [])
        var attention = [
            StatusDocument.Attention(
                code: reason.code.rawValue, severity: .person, member: nil, message: reason.message,
                action: "concordd --home \(home.path)")
        ]
        attention += CertificateExpiry.attention(identity.certificates, now: now)
        if FileManager.default.fileExists(atPath: home.damageMark) {
            attention.insert(
                .init(
                    code: ErrorCode.corruptDatabase.rawValue, severity: .integrity, member: nil,
                    message: "the database was found damaged while the daemon ran",
                    action: ErrorCode.corruptDatabase.entry.action), at: 0)
        }
        var spaces: [StatusDocument.Space] = []
        var peers: [StatusDocument.Peer] = []
        var backup = StatusDocument.Backup(lastAt: nil, verified: false)
        var verdict =
            attention[0].severity == .integrity ? StatusDocument.Verdict.integrityFailure : .needsAPerson
        if FileManager.default.fileExists(atPath: home.database) {
            do {
                let store = try ReplicaStore(path: home.database, options: .init(readOnly: true))
                for space in try store.spaces() { spaces.append(try await self.space(space, in: store)) }
                peers = try self.peers(in: store, own: identity)
                backup = .init(backups.lastGood(remembered: try store.backupRecord(), now: now))
                try store.close()
            } catch let error as ConcordError {
                let isBroken = error.code == .corruptDatabase
                if isBroken { verdict = .integrityFailure }
                attention.insert(
                    StatusDocument.Attention(
                        code: error.code.rawValue, severity: isBroken ? .integrity : .person, member: nil,
                        message: error.message, action: error.action), at: isBroken ? 0 : attention.count)
            }
        }
        return StatusDocument(
            at: Timestamp.text(milliseconds: now), verdict: verdict, node: node, spaces: spaces, peers: peers,
            attention: attention, storage: storage(), backup: backup)
    }

    /// The folder of automatic backups; the usual one if the configuration cannot be read, as `doctor` says.
    private var backups: BackupFolder {
        let configuration = try? Configuration.load(
            path: home.configuration, environment: Caller.environment)
        return BackupFolder(path: (configuration?.backup ?? BackupPolicy()).folder(in: home))
    }

    private func space(_ space: StoredSpace, in store: ReplicaStore) async throws -> StatusDocument.Space {
        let counts = try store.counts(space.id)
        var vector: [String: UInt64] = [:]
        for chain in try store.nodes(space.id) { vector[chain.replica.description] = chain.sequence }
        return StatusDocument.Space(
            id: space.id.description, name: space.name, replica: space.ownReplica?.description,
            changes: counts.changes, records: counts.records, conflicts: counts.conflicts,
            kinds: counts.kinds,
            digest: try await store.digest(space.id).description, versionVector: vector, heldByAll: nil)
    }

    private func peers(in store: ReplicaStore, own: NodeIdentity) throws -> [StatusDocument.Peer] {
        let authorities = try store.trustedAuthorities()
        return try store.peers().filter { $0.node != own.nodeID }.map { peer in
            let member = authorities.first { $0.member == peer.member }
            let error = peer.lastError.map {
                StatusDocument.LastError(
                    code: $0.code, message: $0.message, at: Timestamp.text(milliseconds: $0.at))
            }
            return StatusDocument.Peer(
                member: member?.code, memberName: member?.name, node: peer.name,
                address: peer.addresses.first,
                road: .init(kind: "none"), state: .silent,
                lastHeardAt: peer.lastHeard.map(Timestamp.text(milliseconds:)),
                spaces: (member?.spaces ?? []).map {
                    .init(id: $0.description, theyLack: nil, weLack: nil, asOf: nil)
                },
                roundTripMilliseconds: nil, reach: "", bytesReceived: 0, bytesSent: 0, lastError: error)
        }
    }

    private func storage() -> StatusDocument.Storage {
        let manager = FileManager.default
        var database: Int64 = 0
        for suffix in ["", "-wal"] {
            let attributes = try? manager.attributesOfItem(atPath: home.database + suffix)
            database += (attributes?[.size] as? NSNumber)?.int64Value ?? 0
        }
        let free = try? manager.attributesOfFileSystem(forPath: home.path)[.systemFreeSize] as? NSNumber
        return StatusDocument.Storage(
            databaseBytes: database, blobBytes: bytes(below: home.blobs), freeBytes: free?.int64Value)
    }

    private func bytes(below folder: String) -> Int64 {
        let manager = FileManager.default
        return (manager.enumerator(atPath: folder)?.allObjects ?? []).reduce(0) { total, name in
            let attributes = try? manager.attributesOfItem(atPath: "\(folder)/\(name)")
            guard attributes?[.type] as? FileAttributeType == .typeRegular else { return total }
            return total + ((attributes?[.size] as? NSNumber)?.int64Value ?? 0)
        }
    }
}
