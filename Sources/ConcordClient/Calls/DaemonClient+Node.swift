// Calls about the node itself and its peers.

import ConcordAPI
import ConcordModel

extension DaemonClient {
    /// The status of the node.
    public func status() async throws -> Answer<StatusDocument> {
        try await call(LocalRequest(.GET, ["status"]), timeout: min(timeout, ClientLimits.statusTimeout))
    }

    /// Who the node is.
    public func identity() async throws -> Answer<IdentityDocument> {
        try await call(LocalRequest(.GET, ["identity"]))
    }

    /// With whom the node exchanges.
    public func peers() async throws -> Answer<PeersDocument> {
        try await call(LocalRequest(.GET, ["peers"]))
    }

    /// Dials an address from now on.
    public func addPeer(address: String) async throws -> Answer<OkDocument> {
        try await call(try request(.POST, ["peers"], body: ["address": address]))
    }

    /// Forgets an address that was added by hand.
    public func removePeer(address: String) async throws -> Answer<OkDocument> {
        try await call(LocalRequest(.DELETE, ["peers"], query: [("address", address)]))
    }

    /// Stops exchanging with a member, or with all if `member` is nil.
    public func pause(member: String?) async throws -> Answer<OkDocument> {
        try await call(
            try request(.POST, ["peers", "pause"], body: ["member": member].compactMapValues { $0 }))
    }

    /// Takes up exchange again with a member, or with all if `member` is nil.
    public func resume(member: String?) async throws -> Answer<OkDocument> {
        try await call(
            try request(.POST, ["peers", "resume"], body: ["member": member].compactMapValues { $0 }))
    }

    /// What can be wrong with the node, as the daemon sees it.
    public func doctor() async throws -> Answer<DoctorDocument> {
        try await call(LocalRequest(.GET, ["doctor"]), timeout: ClientLimits.longTimeout)
    }

    /// Verifies the whole log and the visible state. May take minutes.
    public func verify() async throws -> Answer<VerifyDocument> {
        try await call(LocalRequest(.POST, ["verify"]), timeout: ClientLimits.longTimeout)
    }

    /// The backups that the daemon made by itself.
    public func backups() async throws -> Answer<BackupsDocument> {
        try await call(LocalRequest(.GET, ["backups"]))
    }

    /// Has the daemon write a backup to an absolute path on its machine. May take minutes.
    public func backup(path: String) async throws -> Answer<BackupDocument> {
        try await call(
            try request(.POST, ["backup"], body: ["path": path]), timeout: ClientLimits.longTimeout)
    }
}
