// Drafts of acts: what a person wants, in the form that is signed.

import ConcordAPI
import ConcordCrypto
import ConcordModel

extension RosterGuide {
    /// What of a member's changes stays in effect, if not all that is held here now.
    public enum Keep: Hashable, Sendable {
        /// Nothing.
        case nothing
        /// Of the replica whose id begins so, the changes up to this one; it goes before what is said of all.
        case replica(prefix: String, sequence: UInt64)
    }

    /// The act that admits a member or observer.
    ///
    /// - Throws: ``ConcordError`` E-4007 if it stands on the roster so already.
    public func admission(
        of subject: MemberStatement, as role: Role, takingOver former: String?, now: Int64
    ) throws -> Act {
        let predecessor = try former.map { try self.predecessor($0, of: subject.id) }
        if let present = document.members.first(where: { $0.id == subject.id.description }),
            present.role == role.word || present.role == Role.member.word,
            predecessor.map({ present.predecessors.contains($0.description) }) ?? true
        {
            throw ConcordError(
                .alreadyMember, "\(present.code) \(present.name) is on the roster already, as \(present.role)"
            )
        }
        return .admission(
            Admission(space: space, subject: subject, role: role, predecessor: predecessor, timestamp: now))
    }

    /// The act that suspends a member.
    ///
    /// - Throws: ``ConcordError`` E-4013 if it is suspended already and the cut-off would not be lower.
    public func suspension(
        of member: MembersDocument.Member, keeping keeps: VersionVector, reason: String, now: Int64
    ) throws -> Act {
        let reason = UTF8Text(reason)
        guard reason.byteCount <= Limits.reasonBytes else {
            throw ConcordError(
                .limitExceeded, "the reason has \(reason.byteCount) bytes, \(Limits.reasonBytes) are allowed")
        }
        if !member.suspensions.isEmpty, try isKept(member, keeps) {
            throw ConcordError(
                .actInForce, "\(member.code) \(member.name) is suspended already",
                action: "give a lower cut-off with --keep, or see `concord member list`")
        }
        return .suspension(
            Suspension(
                space: space, subject: try Self.id(of: member), keeps: keeps, reason: reason, timestamp: now))
    }

    /// Whether the suspensions in force keep no more than `keeps`.
    private func isKept(_ member: MembersDocument.Member, _ keeps: VersionVector) throws -> Bool {
        try member.replicas.allSatisfy { line in
            let lowest = member.suspensions.map { $0.keeps[line.replica] ?? 0 }.min() ?? 0
            return keeps[try Self.replica(line.replica)] >= min(lowest, line.sequence)
        }
    }

    /// The act that takes back all suspensions of a member.
    ///
    /// - Throws: ``ConcordError`` E-4013 if there is none.
    public func reinstatement(of member: MembersDocument.Member, now: Int64) throws -> Act {
        guard !member.suspensions.isEmpty else {
            throw ConcordError(.actInForce, "\(member.code) \(member.name) is not suspended")
        }
        return .reinstatement(
            Reinstatement(
                space: space, subject: try Self.id(of: member),
                suspensions: try member.suspensions.map { try Self.digest($0.act) }, timestamp: now))
    }

    /// The act by which a member leaves, with all that it stands on; what is held of its changes stays.
    public func departure(of member: MembersDocument.Member, now: Int64) throws -> Act {
        .departure(
            Departure(
                space: space, subject: try Self.id(of: member),
                standing: try member.standsOn.map { try Self.digest($0) },
                keeps: try keeps([], of: member), timestamp: now))
    }

    /// The act that gives an office to members, in place of those that hold it now.
    ///
    /// - Throws: ``ConcordError`` E-4005 for a holder that is not in standing, E-4013 if nothing would change.
    public func appointment(to office: String, holders: [MembersDocument.Member], now: Int64) throws -> Act {
        for holder in holders where holder.role != Role.member.word || !holder.suspensions.isEmpty {
            throw ConcordError(
                .notInStanding, "\(holder.code) \(holder.name) is not a member in standing",
                action: "see `concord member list`")
        }
        let held = document.offices.filter { $0.office == office }
        let ids = Set(holders.map(\.id))
        if held.count == 1 && Set(held[0].holders.map(\.id)) == ids || held.isEmpty && ids.isEmpty {
            throw ConcordError(.actInForce, "the office of \(office) is held so already")
        }
        return .appointment(
            Appointment(
                space: space, office: UTF8Text(office), holders: try holders.map { try Self.id(of: $0) },
                replaces: try held.map { try Self.digest($0.act) }, timestamp: now))
    }

    // MARK: Cut-offs

    /// The cut-offs of a member's replicas: all that is held here now, or what is wanted instead.
    ///
    /// - Throws: ``ConcordError`` E-1003 if a replica is not the member's, or several are meant.
    public func keeps(_ wanted: [Keep], of member: MembersDocument.Member) throws -> VersionVector {
        var keeps = VersionVector()
        if !wanted.contains(.nothing) {
            for line in member.replicas { keeps[try Self.replica(line.replica)] = line.sequence }
        }
        for case .replica(let prefix, let sequence) in wanted {
            let digits = prefix.lowercased()
            let found = member.replicas.filter { $0.replica.hasPrefix(digits) }
            guard found.count == 1 else {
                let known = member.replicas.map {
                    "\($0.replica.prefix(8)) (\($0.node), \($0.sequence) changes)"
                }
                throw ConcordError(
                    .malformedValue,
                    "“\(prefix.prefix(32))” does not name one of \(member.code)'s replicas, which are "
                        + (known.isEmpty ? "none" : known.joined(separator: ", ")))
            }
            keeps[try Self.replica(found[0].replica)] = sequence
        }
        return keeps
    }

    /// Where a cut-off is without effect, in sentences: what was built upon stays, and the change that carries the act
    /// builds on all that its node holds. So a cut-off takes the effect from what arrives later, and nothing else.
    public func consequences(of keeps: VersionVector, for member: MembersDocument.Member) throws -> [String] {
        try member.replicas.compactMap { line in
            let cut = keeps[try Self.replica(line.replica)]
            guard line.sequence > cut else { return nil }
            let who = line.builtUpon > cut ? "others built on \(line.builtUpon), and " : ""
            return "of replica \(line.replica.prefix(8)) (\(line.node)) the changes \(cut + 1) to "
                + "\(line.sequence) are held here and stay, although they are cut off: \(who)the change that "
                + "carries the act builds on them"
        }
    }

    static func replica(_ text: String) throws -> ReplicaID {
        guard let replica = Dot(text: "\(text):1")?.replica else {
            throw ConcordError(.internalError, "the daemon's id of a replica is not one: \(text.prefix(64))")
        }
        return replica
    }
}
