// Procedures and the roster as JSON documents.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension Procedures {
    /// The acts that wait for signatures.
    ///
    /// - Parameter option: what the commands add to name the space; empty where it need not be named.
    func documents(option: String) -> [ProcedureDocument] { pending.map { document($0, option) } }

    private func document(_ standing: Standing, _ option: String) -> ProcedureDocument {
        var role: String?
        var office: String?
        var holders: [MemberID] = []
        switch standing.act {
        case .admission(let act): role = act.role.word
        case .appointment(let act):
            office = act.office.string
            holders = act.holders
        default: break
        }
        return ProcedureDocument(
            act: standing.hash.description, bytes: Base64.encode(standing.act.encoded ?? []),
            kind: standing.act.kind.string, summary: standing.act.summary(name),
            subject: standing.act.subject.map(party), role: role, office: office, holders: holders.map(party),
            reason: standing.act.reason,
            draftedAt: Timestamp.text(milliseconds: standing.act.timestamp ?? 0),
            signatures: standing.signatures.map {
                .init(
                    member: party($0.member), at: Timestamp.text(milliseconds: $0.at),
                    dot: $0.carrier.description)
            }, threshold: standing.threshold, missing: standing.missing, maySign: standing.maySign.map(party),
            handOver: standing.handOver.map(party), isReachable: standing.isReachable,
            command: "concord member sign \(standing.hash.description.prefix(16))\(option)")
    }

    /// What became of an act that change `dot` carries.
    func document(_ standing: Standing, dot: Dot, remarks: [String]) -> ActDocument {
        ActDocument(
            dot: dot.description, act: standing.hash.description, kind: standing.act.kind.string,
            summary: standing.act.summary(name), inForce: standing.isInForce,
            signers: standing.signatures.map { party($0.member) }, threshold: standing.threshold,
            missing: standing.missing, maySign: standing.maySign.map(party),
            handOver: standing.handOver.map(party), remarks: remarks)
    }

    /// The offices, by name.
    var officeDocuments: [MembersDocument.Office] {
        roster.offices.map {
            .init(office: $0.office.string, holders: $0.holders.map(party), act: $0.act.description)
        }
    }

    /// A line of the roster.
    func document(_ entry: Roster.Entry, replicas: [MembersDocument.Replica]) -> MembersDocument.Member {
        let id = entry.statement.id
        return MembersDocument.Member(
            id: id.description, code: entry.statement.code.string, name: entry.statement.name.string,
            role: entry.role.word, founder: entry.isFounder, fingerprint: id.description,
            nodes: Set(replicas.map(\.node)).sorted(),
            standing: entry.standingWord,
            suspensions: entry.suspensions.compactMap(suspension),
            offices: roster.offices.filter { $0.holders.contains(id) }.map(\.office.string),
            authorities: entry.authorities.map(Self.fingerprint),
            formerAuthorities: entry.formerAuthorities.map(Self.fingerprint),
            predecessors: entry.predecessors.map(\.description), standsOn: entry.standing.map(\.description),
            revokedNodes: roster.revoked.filter { $0.member == id }.map(\.node.description),
            replicas: replicas)
    }

    private func suspension(_ hash: Digest) -> MembersDocument.Suspension? {
        guard let standing = standing(hash), case .suspension(let act) = standing.act else { return nil }
        let keeps = act.keeps.elements.map { ($0.replica.description, $0.sequence) }
        return MembersDocument.Suspension(
            act: hash.description, since: Timestamp.text(milliseconds: decidedAt(hash) ?? act.timestamp),
            reason: act.reason.string, signers: standing.signatures.map { party($0.member) },
            keeps: Dictionary(uniqueKeysWithValues: keeps))
    }

    /// The fingerprint of an authority's key; the roster holds none that cannot be read.
    private static func fingerprint(_ certificate: [UInt8]) -> String {
        (try? Certificate(der: certificate))?.publicKey.fingerprint.description ?? "?"
    }
}

extension Roster.Entry {
    /// Whether it may write and sign, as a word.
    var standingWord: String { suspensions.isEmpty ? "in standing" : "suspended" }
}
