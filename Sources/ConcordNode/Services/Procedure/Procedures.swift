// Where written procedure stands in a space: which acts wait for signatures, who may still give one, what is in force.
// A pure function of charter, roster and the endorsements that are held; the roster itself is folded elsewhere
// (ConcordModel), and nothing here decides about effect.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

/// The acts of a space and their signatures.
struct Procedures {
    /// One member's counted signature.
    struct Signature: Hashable {
        let member: MemberID
        let at: Int64
        let carrier: Dot
    }

    /// An act and the state of its signatures.
    struct Standing {
        let act: Act
        let hash: Digest
        /// Those that count, one for each member, in the order of arrival.
        let signatures: [Signature]
        let threshold: UInt64
        /// How many signatures are needed still; 0 if it is in force.
        let missing: UInt64
        /// Who may sign and has not, in the order of the roster.
        let maySign: [MemberID]
        /// Who hold the office that is handed over and have not signed; empty if it is not theirs to hand over.
        let handOver: [MemberID]
        let isInForce: Bool

        /// Whether enough members are left who may sign.
        var isReachable: Bool {
            UInt64(maySign.count) >= missing || !handOver.isEmpty && handOver.allSatisfy(maySign.contains)
        }
    }

    let charter: Charter
    let roster: Roster
    private var signatures: [Digest: [Signature]] = [:]
    private var acts: [Digest: Act] = [:]
    /// The acts in the order in which their first signatures arrived.
    private(set) var order: [Digest] = []
    private var names: [MemberID: PartyDocument] = [:]

    init(charter: Charter, roster: Roster, carried: [CarriedEndorsement]) {
        self.charter = charter
        self.roster = roster
        for carried in carried { take(carried) }
        for founder in charter.founders { names[founder.id] = Self.party(founder) }
        for entry in roster.entries { names[entry.statement.id] = Self.party(entry.statement) }
    }

    private mutating func take(_ carried: CarriedEndorsement) {
        let (endorsement, hash) = (carried.endorsement, carried.endorsement.hash)
        if case .admission(let act) = endorsement.act { names[act.subject.id] = Self.party(act.subject) }
        guard carried.isEffective || endorsement.act.isRestriction else { return }
        if acts.updateValue(endorsement.act, forKey: hash) == nil { order.append(hash) }
        guard signatures[hash]?.contains(where: { $0.member == endorsement.signer }) != true else { return }
        signatures[hash, default: []].append(
            Signature(member: endorsement.signer, at: carried.at, carrier: carried.carrier))
    }

    private static func party(_ statement: MemberStatement) -> PartyDocument {
        PartyDocument(
            id: statement.id.description, code: statement.code.string, name: statement.name.string)
    }

    // MARK: Who

    /// A member as documents name it.
    func party(_ member: MemberID) -> PartyDocument {
        names[member] ?? PartyDocument(id: member.description, code: "?", name: "")
    }

    /// `DEU Germany`; the beginning of the fingerprint for a member that is not known here.
    func name(_ member: MemberID) -> String {
        names[member].map { "\($0.code) \($0.name)" } ?? String(member.description.prefix(16))
    }

    // MARK: How far

    /// An act that is held, and its signatures.
    func standing(_ hash: Digest) -> Standing? { acts[hash].map { standing(of: $0, hash) } }

    /// An act, which need not be held, and the signatures that are.
    func standing(of act: Act, _ hash: Digest) -> Standing {
        let signed = signatures[hash] ?? []
        let isInForce = isInForce(act, hash, signed)
        let threshold = threshold(of: act)
        let count = UInt64(signed.count)
        let missing = isInForce || count >= threshold ? 0 : threshold - count
        var handOver: [MemberID] = []
        if case .appointment(let appointment) = act, missing > 0 {
            handOver = self.handOver(appointment, signed)
        }
        let maySign =
            isInForce
            ? []
            : roster.entries.filter { entry in
                roster.mayEndorse(act, entry) && !signed.contains { $0.member == entry.statement.id }
            }
        return Standing(
            act: act, hash: hash, signatures: signed, threshold: threshold, missing: missing,
            maySign: act.isPersonal && !signed.isEmpty ? [] : maySign.map(\.statement.id), handOver: handOver,
            isInForce: isInForce)
    }

    /// The acts that wait for signatures and would change something, in the order of their first signatures.
    var pending: [Standing] {
        order.compactMap(standing).filter { standing in
            standing.missing > 0 && !standing.act.isPersonal && !isMoot(standing.act)
        }
    }

    /// When an act got the signature that its threshold asks for, by the carrier's clock.
    func decidedAt(_ hash: Digest) -> Int64? {
        guard let act = acts[hash], let signed = signatures[hash] else { return nil }
        let index = Int(clamping: threshold(of: act)) - 1
        return signed.indices.contains(index) ? signed[index].at : signed.last?.at
    }

    /// How many members must sign.
    func threshold(of act: Act) -> UInt64 {
        switch act {
        case .admission, .reinstatement, .appointment: charter.admissionThreshold
        case .suspension, .erasure: charter.suspensionThreshold
        case .revocation, .departure, .rotation, .endorsement, .other: 1
        }
    }

    /// The holders of what an appointment replaces that have not signed it.
    private func handOver(_ act: Appointment, _ signed: [Signature]) -> [MemberID] {
        let replaced = roster.offices.filter { act.replaces.contains($0.act) }
        let holders = Set(replaced.flatMap(\.holders))
        guard !act.replaces.isEmpty, replaced.count == act.replaces.count, !holders.isEmpty,
            replaced.allSatisfy({ $0.office == act.office && !$0.holders.isEmpty })
        else { return [] }
        return holders.subtracting(signed.map(\.member)).sorted()
    }

    /// The endorsements of a document's texts, in the order of arrival.
    func texts(
        of document: RecordID
    ) -> [(endorsement: TextEndorsement, hash: Digest, signature: Signature)] {
        order.flatMap { hash -> [(TextEndorsement, Digest, Signature)] in
            guard case .endorsement(let endorsement)? = acts[hash], endorsement.document == document else {
                return []
            }
            return (signatures[hash] ?? []).map { (endorsement, hash, $0) }
        }
    }

    // MARK: In force

    private func isInForce(_ act: Act, _ hash: Digest, _ signed: [Signature]) -> Bool {
        switch act {
        case .admission(let act): return roster.entry(act.subject.id)?.standing.contains(hash) == true
        case .suspension(let act): return roster.entry(act.subject)?.suspensions.contains(hash) == true
        case .reinstatement(let act):
            let left = roster.entry(act.subject)?.suspensions ?? []
            return UInt64(signed.count) >= charter.admissionThreshold
                && !act.suspensions.contains(where: left.contains)
        case .revocation(let act):
            return signed.contains { roster.isRevoked(act.node, of: $0.member) }
        case .departure(let act):
            let left = roster.entry(act.subject)?.standing ?? []
            return !signed.isEmpty && !act.standing.contains(where: left.contains)
        case .rotation(let act):
            return roster.entry(act.subject)?.authorities.contains(act.certificate) == true
        case .appointment: return roster.offices.contains { $0.act == hash }
        case .endorsement: return !signed.isEmpty
        case .erasure(let act):
            return UInt64(signed.count) >= charter.suspensionThreshold
                || signed.contains { $0.member == act.subject }
        case .other: return false
        }
    }

    /// Whether the roster is already as the act wants it, or the act cannot change it any more.
    func isMoot(_ act: Act) -> Bool {
        switch act {
        case .admission(let act):
            guard let entry = roster.entry(act.subject.id) else { return false }
            let isHeir = act.predecessor.map { entry.predecessors.contains($0) } ?? true
            return isHeir && (entry.role == .member || entry.role == act.role)
        case .suspension(let act): return roster.entry(act.subject) == nil
        case .reinstatement(let act):
            let left = roster.entry(act.subject)?.suspensions ?? []
            return !act.suspensions.contains(where: left.contains)
        case .appointment(let act):
            let now = roster.offices.filter { $0.office == act.office }
            return now.count == 1 && now[0].holders == act.holders
                || act.holders.contains { roster.entry($0) == nil }
        case .revocation, .departure, .rotation, .endorsement, .erasure, .other: return false
        }
    }
}

extension Act {
    /// Whether it counts wherever it is held, also in a change without effect (rule C).
    var isRestriction: Bool {
        switch self {
        case .suspension, .departure, .revocation, .erasure: true
        default: false
        }
    }

    /// Whether one member makes it by itself, so that there is nothing to wait for.
    var isPersonal: Bool {
        switch self {
        case .departure, .rotation, .revocation, .endorsement, .other: true
        case .admission, .suspension, .reinstatement, .appointment, .erasure: false
        }
    }
}
