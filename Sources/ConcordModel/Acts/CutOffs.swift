// Where restrictions end the effect of chains (rule C): a suspension those of a member, a revocation those of a node, a
// departure those of the member that left. Of several the lowest counts.

import ConcordCrypto

/// The cut-offs in force.
public struct CutOffs: Hashable, Sendable {
    private struct Rule: Hashable, Sendable {
        let member: MemberID
        let node: NodeID?
        let keeps: VersionVector
    }

    private var rules: [Rule] = []

    /// Whether nothing is cut off.
    public var isEmpty: Bool { rules.isEmpty }

    /// What follows from the restrictions that are held, with this roster: the suspensions that are in force by it,
    /// departures from which the member did not return, and all revocations.
    public init(roster: Roster, restrictions: [Endorsement]) {
        var seen: Set<Endorsement> = []
        for endorsement in restrictions where seen.insert(endorsement).inserted {
            switch endorsement.act {
            case .suspension(let act):
                guard roster.isSuspended(act.subject, by: endorsement.hash) else { break }
                rules.append(Rule(member: act.subject, node: nil, keeps: act.keeps))
            case .departure(let act):
                guard !roster.hasReturned(from: act) else { break }
                rules.append(Rule(member: act.subject, node: nil, keeps: act.keeps))
            case .revocation(let act):
                rules.append(Rule(member: endorsement.signer, node: act.node, keeps: act.keeps))
            default: break
            }
        }
    }

    /// The last sequence of a replica that may have effect of itself; nil if there is no bound.
    public func cutOff(of replica: ReplicaID, node: NodeID, member: MemberID) -> UInt64? {
        var lowest: UInt64?
        for rule in rules where rule.member == member && (rule.node == nil || rule.node == node) {
            let cut = rule.keeps[replica]
            lowest = min(lowest ?? cut, cut)
        }
        return lowest
    }
}
