// The local API's work over the replica. A call reads the store, or asks its one writer for one change and
// gives back what became of the record; nothing is kept here between calls.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Logging

/// Spaces, records, search, log, import and care of one node's replica.
public final class StoreServices: NodeServices {
    let nodeIdentity: NodeIdentity
    let signer: NodeKeySigner
    let store: ReplicaStore
    let attachments: AttachmentKeeper
    let backups: BackupKeeper
    let peers: any PeerServices
    let logger: Logger
    let clock: @Sendable () -> Int64

    /// Services of this node over this replica.
    ///
    /// - Parameter clock: Milliseconds since 1970.
    init(
        identity: NodeIdentity, signer: NodeKeySigner, store: ReplicaStore, attachments: AttachmentKeeper,
        backups: BackupKeeper, peers: any PeerServices, logger: Logger,
        clock: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        nodeIdentity = identity
        self.signer = signer
        self.store = store
        self.attachments = attachments
        self.backups = backups
        self.peers = peers
        self.logger = logger
        self.clock = clock
    }

    public func identity() async throws -> IdentityDocument {
        let addresses = await peers.advertisedAddresses()
        let identity = nodeIdentity
        return try ConcordError.mappingCrypto("the certificates of this node") {
            IdentityDocument(
                member: identity.memberCode, memberName: identity.memberName, node: identity.nodeName,
                nodeId: identity.nodeID.description, memberId: identity.memberID.description,
                authorityFingerprint: identity.memberID.description,
                certificate: try identity.nodeCertificate.pem(),
                agreement: try identity.agreementCertificate.pem(),
                authority: try identity.authorityCertificate.pem(), addresses: addresses)
        }
    }

    /// The space that a person means.
    ///
    /// - Parameter text: Its id, a unique prefix of at least four digits, or its name; nil for the only one.
    /// - Throws: ``ConcordError`` E-4001 or E-4010.
    func space(_ text: String?) throws -> StoredSpace {
        let spaces = try store.spaces()
        guard let text else {
            guard spaces.count <= 1 else {
                let names = spaces.map { "“\($0.name)”" }.joined(separator: ", ")
                throw ConcordError(.ambiguousSpace, "several spaces are held here: \(names)")
            }
            guard let only = spaces.first else { throw ConcordError(.unknownSpace, "no space is held here") }
            return only
        }
        let named = spaces.filter { UTF8Text($0.name) == UTF8Text(text) }
        let digits = text.lowercased()
        let prefixed = digits.utf8.count >= 4 ? spaces.filter { $0.id.description.hasPrefix(digits) } : []
        let found = named.isEmpty ? prefixed : named
        guard let first = found.first else {
            throw ConcordError(.unknownSpace, "no space “\(text.prefix(64))” is held here")
        }
        guard found.count == 1 else {
            throw ConcordError(
                .ambiguousSpace, "“\(text.prefix(64))” means \(found.count) spaces",
                action: "give more digits of the space's id")
        }
        return first
    }

    /// Writes one change and gives back what it did.
    func write(_ draft: Draft, in space: SpaceID, author: String) async throws -> WrittenChange {
        try await store.write(draft, in: space, by: signer, author: author, now: clock())
    }
}
