// Founding, joining and inviting: the moments at which trust is decided. Everything that a person hands over
// was checked by the type that holds it (SignedCharter, Invite); here it is checked against this node. What changes
// the roster later is written procedure (StoreServices+Procedures.swift).

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension StoreServices {
    public func spaces() async throws -> SpacesDocument {
        let documents = try store.spaces().map { space in
            let roster = try store.roster(space.id)
            let counts = try store.counts(space.id)
            let charter = space.charter.charter
            let own = roster.entry(nodeIdentity.memberID)
            return SpacesDocument.Space(
                id: space.id.description, name: space.name, replica: space.ownReplica?.description,
                role: own?.role.word, standing: own.map(\.standingWord), members: Int64(roster.entries.count),
                changes: counts.changes, records: counts.records, conflicts: counts.conflicts,
                admissionThreshold: charter.admissionThreshold,
                suspensionThreshold: charter.suspensionThreshold,
                founders: charter.founders.map(\.code.string).sorted())
        }
        return SpacesDocument(spaces: documents.sorted { ($0.name, $0.id) < ($1.name, $1.id) })
    }

    public func found(_ charter: SignedCharter) async throws -> FoundedDocument {
        guard charter.charter.founders.contains(where: { $0.id == nodeIdentity.memberID }) else {
            throw ConcordError(
                .wrongAuthority,
                "\(nodeIdentity.memberCode), this node's member, is not among the charter's founders",
                action: "sign the charter with this member's own authority")
        }
        let space = try await store.addSpace(charter)
        let name = charter.charter.name.string
        logger.info("a space is founded", metadata: ["space": "\(space)", "name": "\(name)"])
        await peers.spacesChanged()
        return FoundedDocument(id: space.description, name: name)
    }

    public func join(_ invite: Invite) async throws -> JoinedDocument {
        let addresses = try invite.addresses.map { text in
            do {
                return try NodeAddress(parsing: text)
            } catch let error as ConcordError {
                throw ConcordError(.malformedInvite, "the invite is refused: \(error.message)")
            }
        }
        let space = try await store.addSpace(
            invite.charter, inviterAuthority: invite.inviterAuthority.der)
        let name = invite.charter.charter.name.string
        logger.info(
            "a space is joined",
            metadata: [
                "space": "\(space)", "name": "\(name)",
                "inviter": "\(invite.inviterAuthority.subject.memberCode)",
            ])
        let own = Set(await peers.advertisedAddresses())
        for address in addresses where !own.contains(address.description) {
            try await peers.addAddress(address)
        }
        await peers.spacesChanged()
        return JoinedDocument(
            id: space.description, name: name,
            inviter: .init(
                code: invite.inviterAuthority.subject.memberCode,
                name: invite.inviterAuthority.subject.memberName,
                fingerprint: invite.inviter.description))
    }

    public func invite(to text: String) async throws -> Invite {
        let space = try space(text)
        let roster = try store.roster(space.id)
        guard roster.role(nodeIdentity.memberID) == .member else {
            throw ConcordError(
                .notInStanding,
                "\(nodeIdentity.memberCode) is not a member in standing of “\(space.name)”, so its nodes cannot invite"
            )
        }
        let acts = Invite.ordered(try store.signedActs(space.id), charter: space.charter.charter)
        let addresses = await peers.advertisedAddresses()
        return try ConcordError.mappingCrypto("the invite") {
            try Invite(
                charter: space.charter, authority: nodeIdentity.authorityCertificate,
                node: nodeIdentity.nodeCertificate,
                addresses: Array(addresses.prefix(Limits.inviteAddresses)),
                acts: acts, authorities: roster.entries.map(\.statement.certificate), timestamp: clock(),
                key: signer.key)
        }
    }

    public func digest(of text: String) async throws -> DigestDocument {
        let space = try space(text)
        let digest = try await store.digest(space.id)
        let changes = try store.counts(space.id).changes
        return DigestDocument(space: space.id.description, digest: digest.description, changes: changes)
    }
}
