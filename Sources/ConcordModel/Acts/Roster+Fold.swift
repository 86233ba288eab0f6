// The fold of endorsements into a roster (rule B2, Protocol/spaces.md, "Roster"): which acts count, and what follows
// from those that do. Everything goes by the acts' hashes in ascending order, so that neither the order of arrival nor
// repetition matters.

import ConcordCrypto

/// The parts of a roster, one after the other.
struct RosterFold {
    let grants: [Roster.Grant]
    let suspended: [Roster.Suspended]
    let successions: [Roster.Succession]
    let entries: [Roster.Entry]
    let offices: [Roster.Office]
    let revoked: [Roster.RevokedNode]

    init(charter: Charter, permissions: [Endorsement], restrictions: [Endorsement]) {
        let granted = CountedActs(permissions)
        let imposed = CountedActs(restrictions)
        let admissions = granted.admissions(threshold: charter.admissionThreshold)
        let founders = charter.founders.map {
            Roster.Grant(member: $0.id, act: charter.space.digest, role: .member)
        }
        let admitted = admissions.map {
            Roster.Grant(member: $0.admission.subject.id, act: $0.hash, role: $0.admission.role)
        }
        let grants = (founders + admitted).sorted()
        let lifted = granted.lifted(threshold: charter.admissionThreshold)
        let suspended = imposed.suspensions(threshold: charter.suspensionThreshold).subtracting(lifted)
            .sorted()
        let successions = Set(
            admissions.compactMap { _, admission in
                admission.predecessor.map { Roster.Succession(heir: admission.subject.id, predecessor: $0) }
            }
        ).sorted()
        var lines = Self.lines(charter, admissions, givenUp: imposed.givenUp)
        for grant in grants { lines[grant.member]?.standing.append(grant.act) }
        for suspension in suspended { lines[suspension.member]?.suspensions.append(suspension.act) }
        for succession in successions { lines[succession.heir]?.predecessors.append(succession.predecessor) }
        granted.rotate(&lines)
        self.grants = grants
        self.suspended = suspended
        self.successions = successions
        entries = lines.values.sorted { $0.statement.id < $1.statement.id }
        offices = granted.offices(threshold: charter.admissionThreshold)
        revoked = imposed.revokedNodes
    }

    /// Who stands on the roster: founders and admitted, by what they have not given up. When a subject was admitted as
    /// both, member wins; among several statements of one subject the one of the lowest act hash is displayed.
    private static func lines(
        _ charter: Charter, _ admissions: [(hash: Digest, admission: Admission)], givenUp: Set<Renunciation>
    ) -> [MemberID: Roster.Entry] {
        func line(_ statement: MemberStatement, _ role: Role, isFounder: Bool) -> Roster.Entry {
            Roster.Entry(
                statement: statement, role: role, isFounder: isFounder, standing: [],
                authorities: [statement.certificate], authorityKeys: [statement.id.digest])
        }
        var lines: [MemberID: Roster.Entry] = [:]
        for founder in charter.founders
        where !givenUp.contains(Renunciation(member: founder.id, act: charter.space.digest)) {
            lines[founder.id] = line(founder, .member, isFounder: true)
        }
        for (hash, admission) in admissions {
            let id = admission.subject.id
            guard !givenUp.contains(Renunciation(member: id, act: hash)) else { continue }
            if lines[id] == nil || lines[id]?.role == .observer && admission.role == .member {
                lines[id] = line(admission.subject, admission.role, isFounder: false)
            }
        }
        return lines
    }
}

/// A place that a member gave up: an admission, or a founder's.
private struct Renunciation: Hashable {
    let member: MemberID
    let act: Digest
}

/// Endorsements by act.
private struct CountedActs {
    private var signers: [Digest: Set<MemberID>] = [:]
    /// The acts, ascending by hash.
    private let acts: [(hash: Digest, act: Act)]

    init(_ endorsements: [Endorsement]) {
        var found: [Digest: Act] = [:]
        for endorsement in endorsements {
            signers[endorsement.hash, default: []].insert(endorsement.signer)
            found[endorsement.hash] = endorsement.act
        }
        acts = found.map { (hash: $0.key, act: $0.value) }.sorted { $0.hash < $1.hash }
    }

    private func isCounted(_ hash: Digest, _ threshold: UInt64) -> Bool {
        UInt64(signers[hash]?.count ?? 0) >= threshold
    }

    func admissions(threshold: UInt64) -> [(hash: Digest, admission: Admission)] {
        acts.compactMap { hash, act in
            guard case .admission(let admission) = act, isCounted(hash, threshold) else { return nil }
            return (hash, admission)
        }
    }

    func suspensions(threshold: UInt64) -> Set<Roster.Suspended> {
        Set(
            acts.compactMap { hash, act in
                guard case .suspension(let suspension) = act, isCounted(hash, threshold) else { return nil }
                return Roster.Suspended(member: suspension.subject, act: hash)
            })
    }

    /// What reinstatements take back: only suspensions of their own subject, so that nobody signs for itself by naming
    /// its suspension in another's reinstatement.
    func lifted(threshold: UInt64) -> Set<Roster.Suspended> {
        var lifted: Set<Roster.Suspended> = []
        for (hash, act) in acts {
            guard case .reinstatement(let reinstatement) = act, isCounted(hash, threshold) else { continue }
            for suspension in reinstatement.suspensions {
                lifted.insert(Roster.Suspended(member: reinstatement.subject, act: suspension))
            }
        }
        return lifted
    }

    /// What members gave up of their own standing.
    var givenUp: Set<Renunciation> {
        var left: Set<Renunciation> = []
        for (_, act) in acts {
            guard case .departure(let departure) = act else { continue }
            for standing in departure.standing {
                left.insert(Renunciation(member: departure.subject, act: standing))
            }
        }
        return left
    }

    var revokedNodes: [Roster.RevokedNode] {
        var nodes: Set<Roster.RevokedNode> = []
        for (hash, act) in acts {
            guard case .revocation(let revocation) = act else { continue }
            for signer in signers[hash] ?? [] {
                nodes.insert(Roster.RevokedNode(member: signer, node: revocation.node))
            }
        }
        return nodes.sorted()
    }

    /// Follows each member's rotations from its founding key. The keys that are reached and that no rotation replaces
    /// are current: two after concurrent rotations, until one of them is rotated to the other; none after rotations in
    /// a circle.
    func rotate(_ lines: inout [MemberID: Roster.Entry]) {
        var rotations: [MemberID: [Digest: [Rotation]]] = [:]
        for case (_, .rotation(let rotation)) in acts {
            rotations[rotation.subject, default: [:]][rotation.replaces, default: []].append(rotation)
        }
        for (member, replacements) in rotations {
            guard let line = lines[member] else { continue }
            var reached = [member.digest: line.statement.certificate]
            var next = [member.digest]
            while let key = next.popLast() {
                for rotation in replacements[key] ?? [] where reached[rotation.key] == nil {
                    reached[rotation.key] = rotation.certificate
                    next.append(rotation.key)
                }
            }
            let ordered = reached.sorted { $0.key < $1.key }
            let current = ordered.filter { replacements[$0.key] == nil }
            let former = ordered.filter { replacements[$0.key] != nil }
            lines[member]?.authorities = current.map(\.value)
            lines[member]?.authorityKeys = current.map(\.key)
            lines[member]?.formerAuthorities = former.map(\.value)
            lines[member]?.formerKeys = former.map(\.key)
        }
    }

    /// The appointments that no other replaces. One counts when the threshold endorsed it, or all holders of those
    /// that it replaces.
    func offices(threshold: UInt64) -> [Roster.Office] {
        var counted: [Digest: Appointment] = [:]
        var grew = true
        while grew {
            grew = false
            for case (let hash, .appointment(let appointment)) in acts where counted[hash] == nil {
                guard isCounted(hash, threshold) || isHandOver(appointment, hash, of: counted) else {
                    continue
                }
                counted[hash] = appointment
                grew = true
            }
        }
        let replaced = Set(counted.values.flatMap(\.replaces))
        return acts.compactMap { hash, _ in
            guard let appointment = counted[hash], !replaced.contains(hash) else { return nil }
            return Roster.Office(office: appointment.office, holders: appointment.holders, act: hash)
        }
        .sorted { ($0.office, $0.act) < ($1.office, $1.act) }
    }

    private func isHandOver(_ new: Appointment, _ hash: Digest, of counted: [Digest: Appointment]) -> Bool {
        !new.replaces.isEmpty
            && new.replaces.allSatisfy { replaced in
                guard let former = counted[replaced], former.office == new.office, !former.holders.isEmpty
                else {
                    return false
                }
                return former.holders.allSatisfy { signers[hash]?.contains($0) == true }
            }
    }
}
