// Real acts for the procedures of a script, signed with real authorities.

import ConcordCrypto
import ConcordModel
import ConcordStore

@testable import TestSupport

/// The acts that were drafted in a history, and the keys to sign them.
struct HistoryProcedures {
    let space: SpaceID
    let parties: [Party]
    private var drafted: [(content: OracleAct.Content, bytes: [UInt8])] = []
    /// Authorities by their keys' fingerprints.
    private var keys: [String: PrivateKey] = [:]
    private var certificates: [String: Certificate] = [:]

    init(space: SpaceID, parties: [Party]) {
        self.space = space
        self.parties = parties
        for party in parties { keys[party.id.description] = party.key }
    }

    private func party(_ name: String) -> Party { parties.first { $0.id.description == name }! }

    /// The signatures of those who would sign, under an act of this kind.
    mutating func signed(
        _ procedure: HistoryProcedure, _ signers: [Int], _ craft: HistoryCraft, nodes: [Oracle.Node]
    ) throws -> [SignedAct] {
        let act: (content: OracleAct.Content, bytes: [UInt8])
        if case .again(let pick) = procedure {
            guard let known = pick(Array(drafted.suffix(5))) else { return [] }
            act = known
        } else {
            let fresh = try Self.authority(of: parties[signers[0]])
            let content = craft.content(
                of: procedure, among: parties.count, name: { parties[$0].id.description },
                seat: { nodes[$0] },
                newKey: { _ in fresh.certificate.publicKey.fingerprint.description })
            guard let content else { return [] }
            let name = fresh.certificate.publicKey.fingerprint.description
            (keys[name], certificates[name]) = (fresh.key, fresh.certificate)
            act = (content, try bytes(of: content))
            drafted.append(act)
        }
        return try signers.compactMap { try sign(act, parties[$0], craft) }
    }

    private static func authority(of party: Party) throws -> (key: PrivateKey, certificate: Certificate) {
        let key = try PrivateKey.generate()
        let certificate = try CertificateIssuer.authority(
            subject: CertificateSubject(
                memberCode: party.code, memberName: party.code, commonName: "new authority"),
            key: key, notBefore: 1_700_000_000, notAfter: 2_500_000_000)
        return (key, certificate)
    }

    private func sign(
        _ act: (content: OracleAct.Content, bytes: [UInt8]), _ signer: Party, _ craft: HistoryCraft
    ) throws -> SignedAct? {
        let name = signer.id.description
        if craft.manner == nil, !craft.accepts(name, under: act.content) { return nil }
        var key = craft.view.roster[name]?.keys.min() ?? name
        if case .rotate(_, let replaces, _) = act.content { key = replaces }
        if craft.manner?.forgesSignature == true { key = parties.last!.id.description }
        guard let secret = keys[key] else { return nil }
        return try SignedAct(act: act.bytes, signer: signer.id, key: secret)
    }

    private func bytes(of content: OracleAct.Content) throws -> [UInt8] {
        let at = Int64(drafted.count + 1)
        switch content {
        case .admit(let subject, let role, let predecessor):
            return Admission(
                space: space, subject: try MemberStatement(authority: party(subject).authority),
                role: role == .member ? .member : .observer, predecessor: predecessor.map { party($0).id },
                timestamp: at
            ).encoded
        case .suspend(let subject, let keeps):
            return Suspension(
                space: space, subject: party(subject).id, keeps: VersionVector(named: keeps), reason: "",
                timestamp: at
            ).encoded
        case .reinstate(let subject, let suspensions):
            return Reinstatement(
                space: space, subject: party(subject).id,
                suspensions: suspensions.compactMap(Digest.init(name:)),
                timestamp: at
            ).encoded
        case .revoke(let node, let keeps):
            return Revocation(
                space: space, node: NodeID(Digest(name: node)!), keeps: VersionVector(named: keeps),
                reason: "",
                timestamp: at
            ).encoded
        case .leave(let subject, let standing, let keeps):
            return Departure(
                space: space, subject: party(subject).id, standing: standing.compactMap(Digest.init(name:)),
                keeps: VersionVector(named: keeps), timestamp: at
            ).encoded
        case .rotate(let subject, let replaces, let key):
            return try Rotation(
                space: space, subject: party(subject).id, replaces: Digest(name: replaces)!,
                certificate: certificates[key]!.der, key: keys[key]!, timestamp: at
            ).encoded
        case .other: preconditionFailure("such acts are not drafted")
        }
    }
}

extension Digest {
    /// The hash that the oracle knows by this name.
    init?(name: String) { self.init(bytes: ConcordModel.bytes(hexadecimal: name) ?? []) }
}

extension HistoryCraft {
    /// The intents as a draft for a store. Where several values stand, writing settles them.
    func draft(_ intents: [HistoryIntent]) -> Draft {
        intents.map { intent in
            func id(_ record: String) -> RecordID { RecordID(text: record)! }
            switch intent {
            case .create(let kind, let parent):
                return .create(
                    kind: UTF8Text(kind), parent: parent.map { .existing(id($0)) },
                    fields: [.set(UTF8Text(HistoryKind.title(kind)), text("new"))])
            case .set(let record, let field, let value):
                if view.records[record]?.registers[field]?.count ?? 0 > 1 {
                    return .resolve(id(record), field: UTF8Text(field), .value(text(value)))
                }
                return .update(id(record), [.set(UTF8Text(field), text(value))])
            case .add(let record, let field, let element):
                return .update(id(record), [.add(UTF8Text(field), text(element))])
            case .remove(let record, let field, let element):
                return .update(id(record), [.remove(UTF8Text(field), text(element))])
            case .delete(let record): return .delete(id(record))
            case .restore(let record): return .restore(id(record))
            case .edit(let record, let number):
                return .write(
                    id(record), field: "body", text: UTF8Text(changed(record, number: number)), base: nil)
            }
        }
    }
}
