// Who stands on the roster, as the fold of signed acts (rule B2). The fold is a pure function of a set of
// endorsements: which of them are counted (those in a change's causal past, or the effective ones) is the caller's.

import ConcordCrypto

/// One member's valid signature under an act, found in some change.
public struct Endorsement: Hashable, Sendable {
    /// Who signed.
    public let signer: MemberID
    /// The SHA-256 of the act's bytes.
    public let hash: Digest
    /// The act.
    public let act: Act

    /// An endorsement whose signature was verified.
    public init(signer: MemberID, hash: Digest, act: Act) {
        self.signer = signer
        self.hash = hash
        self.act = act
    }
}

/// The members and observers of a space at some point of its history.
public struct Roster: Hashable, Sendable {
    /// One line of the roster.
    public struct Entry: Hashable, Sendable {
        /// Who, with the authority certificate by which its nodes are known.
        public let statement: MemberStatement
        /// As what.
        public let role: Role
        /// Whether the charter names it.
        public let isFounder: Bool
    }

    /// The lines, ascending by member id.
    public let entries: [Entry]

    /// The roster of a space's founders alone.
    public init(charter: Charter) {
        self.init(charter: charter, endorsements: [])
    }

    /// Folds endorsements: an admission counts when at least the charter's threshold of distinct members endorsed
    /// it. Order and repetition of `endorsements` do not matter. When a subject was admitted as both, member wins;
    /// among several statements of one subject the one of the lowest act hash is displayed.
    public init(charter: Charter, endorsements: [Endorsement]) {
        var signers: [Digest: Set<MemberID>] = [:]
        var admissions: [Digest: Admission] = [:]
        for endorsement in endorsements {
            guard case .admission(let admission) = endorsement.act else { continue }
            signers[endorsement.hash, default: []].insert(endorsement.signer)
            admissions[endorsement.hash] = admission
        }
        var lines: [MemberID: Entry] = [:]
        for founder in charter.founders {
            lines[founder.id] = Entry(statement: founder, role: .member, isFounder: true)
        }
        for (hash, admission) in admissions.sorted(by: { $0.key < $1.key }) {
            guard UInt64(signers[hash]?.count ?? 0) >= charter.admissionThreshold else { continue }
            let present = lines[admission.subject.id]
            guard present == nil || present?.role == .observer && admission.role == .member else { continue }
            lines[admission.subject.id] = Entry(
                statement: admission.subject, role: admission.role, isFounder: false)
        }
        entries = lines.values.sorted { $0.statement.id < $1.statement.id }
    }

    /// The line of a member, nil if it is not on the roster. O(log n).
    public func entry(_ member: MemberID) -> Entry? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].statement.id < member { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].statement.id == member ? entries[low] : nil
    }

    /// The role of a member, nil if it is not on the roster.
    public func role(_ member: MemberID) -> Role? { entry(member)?.role }

    /// Rule B1: whether a signed act in a change with this roster in its past is a valid endorsement, and if so which.
    ///
    /// - Returns: nil if the signer is not a member in standing, is the subject itself, the act is of another space,
    ///   or the signature does not verify. Such an act is kept and has no effect.
    public func endorsement(of signed: SignedAct, in space: SpaceID) -> Endorsement? {
        guard let signer = entry(signed.signer), signer.role == .member,
            let act = try? Act(encoded: signed.act), act.space == space,
            let certificate = try? Certificate(der: signer.statement.certificate)
        else { return nil }
        if case .admission(let admission) = act, admission.subject.id == signed.signer { return nil }
        guard certificate.publicKey.isValid(signed.signature, for: signed.hash, as: .act) else { return nil }
        return Endorsement(signer: signed.signer, hash: signed.hash, act: act)
    }
}
