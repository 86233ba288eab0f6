// Written procedure over the replica: the roster with everything that a person needs to draft an act, the acts that
// wait for signatures, and the taking of a signature. Whether a signature counts is decided by the roster's rules; what
// is refused here is what would be written in vain.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension StoreServices {
    public func members(of text: String?) async throws -> MembersDocument {
        let space = try space(text)
        let procedures = try procedures(of: space)
        let replicas = try replicas(of: space.id)
        let members = procedures.roster.entries.map { entry in
            procedures.document(entry, replicas: replicas[entry.statement.id] ?? [])
        }
        return MembersDocument(
            space: space.id.description, spaceName: space.name,
            admissionThreshold: space.charter.charter.admissionThreshold,
            suspensionThreshold: space.charter.charter.suspensionThreshold,
            members: members.sorted { ($0.code, $0.id) < ($1.code, $1.id) },
            offices: procedures.officeDocuments,
            procedures: procedures.documents(option: try option(naming: space)))
    }

    public func procedures(in text: String) async throws -> ProceduresDocument {
        let space = try space(text)
        return ProceduresDocument(
            space: space.id.description, spaceName: space.name,
            procedures: try procedures(of: space).documents(option: try option(naming: space)))
    }

    public func write(_ act: SignedAct, in text: String, author: String) async throws -> ActDocument {
        let space = try space(text)
        let decoded = try Act(encoded: act.act)
        guard decoded.space == space.id else {
            throw ConcordError(.malformedAct, "the act is made for another space than “\(space.name)”")
        }
        try ActCheck(space: space.id, procedures: try procedures(of: space)).check(act, decoded)
        if case .endorsement(let endorsement) = decoded { try check(endorsement) }
        let written = try await write([.act(act)], in: space.id, author: author)
        await peers.spacesChanged()
        let after = try procedures(of: space)
        let standing = after.standing(of: decoded, act.hash)
        logger.info(
            "an act is signed",
            metadata: [
                "space": "\(space.id)", "act": "\(act.hash)", "kind": "\(decoded.kind)",
                "signer": "\(after.party(act.signer).code)", "missing": "\(standing.missing)",
            ])
        return after.document(
            standing, dot: written.dot, remarks: try remarks(on: decoded, signer: act.signer, in: space.id))
    }

    /// Where written procedure stands in a space.
    func procedures(of space: StoredSpace) throws -> Procedures {
        Procedures(
            charter: space.charter.charter, roster: try store.roster(space.id),
            carried: try store.endorsements(space.id))
    }

    /// What a command adds to name this space, where several are held.
    private func option(naming space: StoredSpace) throws -> String {
        try store.spaces().count > 1 ? " --space \(space.id.description.prefix(8))" : ""
    }

    private func check(_ endorsement: TextEndorsement) throws {
        let record = try store.record(endorsement.document, space: endorsement.space)
        guard record.kind == "document" else {
            throw ConcordError(
                .unknownRecord, "\(record.id) is of kind \(record.kind): only documents are endorsed")
        }
    }

    /// The replicas of each member, ascending. A forked replica stands as one line, with the longest of its branches.
    private func replicas(of space: SpaceID) throws -> [MemberID: [MembersDocument.Replica]] {
        let builtUpon = try store.builtUpon(space)
        var lines: [ReplicaID: (member: MemberID, line: MembersDocument.Replica)] = [:]
        for chain in try store.nodes(space) {
            var line =
                lines[chain.replica]?.line
                ?? MembersDocument.Replica(
                    replica: chain.replica.description, node: chain.nodeName,
                    nodeId: chain.node.description, sequence: 0, effective: 0,
                    builtUpon: builtUpon[chain.replica] ?? 0, forked: chain.forkedAt != nil)
            line.sequence = max(line.sequence, chain.sequence)
            line.effective = max(line.effective, chain.effective)
            lines[chain.replica] = (chain.member, line)
        }
        var replicas: [MemberID: [MembersDocument.Replica]] = [:]
        for (member, line) in lines.values { replicas[member, default: []].append(line) }
        return replicas.mapValues { $0.sorted { $0.replica < $1.replica } }
    }

    /// What somebody should know who signs an act: where its cut-off is without effect.
    private func remarks(on act: Act, signer: MemberID, in space: SpaceID) throws -> [String] {
        let (keeps, member): (VersionVector, MemberID)
        switch act {
        case .suspension(let act): (keeps, member) = (act.keeps, act.subject)
        case .departure(let act): (keeps, member) = (act.keeps, act.subject)
        case .revocation(let act): (keeps, member) = (act.keeps, signer)
        default: return []
        }
        var remarks: [String] = []
        for line in try replicas(of: space)[member] ?? [] {
            if case .revocation(let act) = act, act.node.description != line.nodeId { continue }
            guard let replica = bytes(hexadecimal: line.replica).flatMap({ ReplicaID(bytes: $0) }),
                line.builtUpon > keeps[replica]
            else { continue }
            remarks.append(
                "of replica \(line.replica.prefix(8)) (\(line.node)) the changes \(keeps[replica] + 1) to "
                    + "\(line.builtUpon) stay: others built on them")
        }
        return remarks
    }
}
