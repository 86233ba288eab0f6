// Who stands on the roster, as the fold of signed acts (rules B2 and C). The fold is a pure function of two sets of
// valid endorsements: permissions are read from one, restrictions from the other. For the past of a change both are
// the endorsements in that past; for the space as it is now, permissions are those whose carriers are effective and
// restrictions all that are held.

import ConcordCrypto

/// The members and observers of a space at some point of its history.
public struct Roster: Hashable, Sendable {
    /// One line of the roster.
    public struct Entry: Hashable, Sendable {
        /// Who, with the founding authority's certificate.
        public internal(set) var statement: MemberStatement
        /// As what it was admitted.
        public internal(set) var role: Role
        /// Whether it stands here because the charter names it.
        public let isFounder: Bool
        /// What it was ever granted: the hashes of its admissions, and the space's id for a founder, ascending. Who
        /// leaves names all of it.
        public internal(set) var standing: [Digest]
        /// The suspensions in force, ascending; while there is one, the member neither writes nor endorses.
        public internal(set) var suspensions: [Digest] = []
        /// The authority certificates by which its acts and nodes are known, ascending by key: one, unless keys were
        /// rotated twice at the same time, and none if they were rotated in a circle.
        public internal(set) var authorities: [[UInt8]]
        /// The fingerprints of their keys, in the same order.
        public internal(set) var authorityKeys: [Digest]
        /// The certificates of authority keys that were replaced, ascending by key.
        public internal(set) var formerAuthorities: [[UInt8]] = []
        /// The fingerprints of their keys, in the same order.
        public internal(set) var formerKeys: [Digest] = []
        /// The former identities whose records are this member's, ascending.
        public internal(set) var predecessors: [MemberID] = []

        /// Whether the key with this fingerprint is an authority of the member now.
        public func hasAuthority(_ key: Digest) -> Bool { authorityKeys.contains(key) }

        /// Whether the key with this fingerprint is an authority of the member, or was.
        public func hadAuthority(_ key: Digest) -> Bool { hasAuthority(key) || formerKeys.contains(key) }
    }

    /// An office and who holds it.
    public struct Office: Hashable, Sendable {
        /// The office: `chair`, `secretariat` or `troika`.
        public let office: UTF8Text
        /// Who holds it.
        public let holders: [MemberID]
        /// The hash of the appointment.
        public let act: Digest
    }

    /// A node that its member revoked.
    public struct RevokedNode: Hashable, Comparable, Sendable {
        /// Whose node.
        public let member: MemberID
        /// The node.
        public let node: NodeID

        public static func < (a: Self, b: Self) -> Bool { (a.member, a.node) < (b.member, b.node) }
    }

    /// A place on the roster that was granted: a founder's, or an admission that counts.
    public struct Grant: Hashable, Comparable, Sendable {
        /// Whose place.
        public let member: MemberID
        /// The hash of the admission; the space's id for a founder.
        public let act: Digest
        /// As what.
        public let role: Role

        public static func < (a: Self, b: Self) -> Bool { (a.member, a.act) < (b.member, b.act) }
    }

    /// A suspension that counts and that nothing took back.
    public struct Suspended: Hashable, Comparable, Sendable {
        /// Who is suspended.
        public let member: MemberID
        /// The hash of the suspension.
        public let act: Digest

        public static func < (a: Self, b: Self) -> Bool { (a.member, a.act) < (b.member, b.act) }
    }

    /// Whose records a member took over.
    public struct Succession: Hashable, Comparable, Sendable {
        /// The member.
        public let heir: MemberID
        /// The former identity.
        public let predecessor: MemberID

        public static func < (a: Self, b: Self) -> Bool { (a.heir, a.predecessor) < (b.heir, b.predecessor) }
    }

    /// The lines, ascending by member id; those with suspensions in force included, those who left not.
    public let entries: [Entry]
    /// The offices, ascending by name and act; two of one name were given at the same time.
    public let offices: [Office]
    /// The nodes that were revoked, ascending.
    public let revoked: [RevokedNode]
    /// All places that were ever granted, ascending, also those that were given up.
    public let grants: [Grant]
    /// The suspensions in force, ascending, also those of members that left: leaving does not lift them.
    public let suspended: [Suspended]
    /// Who took over whose records, ascending; for good, whoever left since.
    public let successions: [Succession]

    /// The roster of a space's founders alone.
    public init(charter: Charter) { self.init(charter: charter, endorsements: []) }

    /// The roster of a past: all its endorsements count.
    public init(charter: Charter, endorsements: [Endorsement]) {
        self.init(charter: charter, permissions: endorsements, restrictions: endorsements)
    }

    /// Folds endorsements. Order and repetition do not matter.
    ///
    /// - Parameters:
    ///   - permissions: from which admissions, reinstatements, rotations and appointments are counted.
    ///   - restrictions: from which suspensions, departures and revocations are counted.
    public init(charter: Charter, permissions: [Endorsement], restrictions: [Endorsement]) {
        let fold = RosterFold(charter: charter, permissions: permissions, restrictions: restrictions)
        grants = fold.grants
        suspended = fold.suspended
        successions = fold.successions
        entries = fold.entries
        offices = fold.offices
        revoked = fold.revoked
    }

    /// The line of a member, nil if it is not on the roster. O(log n).
    public func entry(_ member: MemberID) -> Entry? {
        let index = entries.firstIndex(notBefore: member) { $0.statement.id }
        return index < entries.count && entries[index].statement.id == member ? entries[index] : nil
    }

    /// The role of a member in standing; nil if it is not on the roster or suspended.
    public func role(_ member: MemberID) -> Role? {
        guard let entry = entry(member), entry.suspensions.isEmpty else { return nil }
        return entry.role
    }

    /// Whether the member was ever admitted as a member, whether it is suspended, left, or not (rule C): how far that
    /// reaches is for the cut-offs to say.
    public func isAdmitted(_ member: MemberID) -> Bool { grants(of: member).contains { $0.role == .member } }

    /// The places that were granted to a member, given up or not. O(log n).
    public func grants(of member: MemberID) -> ArraySlice<Grant> {
        let start = grants.firstIndex(notBefore: member, by: \.member)
        return grants[start...].prefix { $0.member == member }
    }

    /// Whether a suspension of this member by the act of this hash is in force, also if the member left.
    public func isSuspended(_ member: MemberID, by act: Digest) -> Bool {
        let index = suspended.firstIndex(notBefore: Suspended(member: member, act: act)) { $0 }
        return index < suspended.count && suspended[index] == Suspended(member: member, act: act)
    }

    /// Whether the member stands as a member on something that this departure did not give up.
    public func hasReturned(from departure: Departure) -> Bool {
        grants(of: departure.subject).contains { $0.role == .member && !departure.standing.contains($0.act) }
    }

    /// Whether the member revoked this node of its own.
    public func isRevoked(_ node: NodeID, of member: MemberID) -> Bool {
        revoked.contains(RevokedNode(member: member, node: node))
    }

    /// Whether `member` may write what `owner` owns: its own, and that of the identities which it took over.
    public func owns(_ member: MemberID, recordsOf owner: MemberID) -> Bool {
        if member == owner { return true }
        var known: Set<MemberID> = [member]
        var next = [member]
        while let heir = next.popLast() {
            for predecessor in predecessors(of: heir) where known.insert(predecessor).inserted {
                if predecessor == owner { return true }
                next.append(predecessor)
            }
        }
        return false
    }

    private func predecessors(of heir: MemberID) -> [MemberID] {
        let start = successions.firstIndex(notBefore: heir, by: \.heir)
        return successions[start...].prefix { $0.heir == heir }.map(\.predecessor)
    }

    /// The members in standing, observers included, of which the key with this fingerprint is an authority now,
    /// ascending: none or one, unless a member rotated to a key that it knows of another.
    public func members(withAuthority key: Digest) -> [MemberID] {
        entries.filter { $0.suspensions.isEmpty && $0.hasAuthority(key) }.map(\.statement.id)
    }
}
