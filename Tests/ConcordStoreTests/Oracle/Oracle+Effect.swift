// Rules C: which of the changes that are held count at all.

extension Oracle {
    /// What rule C finds in a set of changes.
    struct Effect {
        let effective: OracleSet
        /// The acts that restrict, of everything held, and those that permit, of what is effective.
        let restricting: CountedActs
        let permitting: CountedActs
        let suspensions: Set<OracleAct>
        /// By replica, the lowest sequence that is in force as a cut-off.
        let cuts: [String: Int]
        /// Who may have written a seed.
        let admitted: Set<String>
    }

    /// The lowest sequence that two changes bear, by replica.
    func forks(in held: OracleSet) -> [String: Int] {
        var bearers: [OracleDot: Int] = [:]
        var first: [String: Int] = [:]
        for index in held {
            let dot = changes[index].dot
            bearers[dot, default: 0] += 1
            if bearers[dot]! > 1 { first[dot.replica] = min(first[dot.replica] ?? .max, dot.sequence) }
        }
        return first
    }

    /// The least fixed point: restrictions count wherever they are held, permissions only if effective.
    func effect(of held: OracleSet) -> Effect {
        let restricting = countedActs(in: held)
        var permitting = CountedActs()
        while true {
            let suspensions = suspensionsInForce(restricting, lifting: permitting)
            let admitted = Set(grants(of: permitting).filter { $0.role == .member }.map(\.member))
            let cuts = cuts(in: held, restricting, permitting, suspensions)
            var effective = OracleSet()
            for index in held {
                let change = changes[index]
                guard role(of: index) == .member, admitted.contains(change.member),
                    change.dot.sequence <= cuts[change.replica] ?? .max
                else { continue }
                effective.formUnion(pasts[index])
                effective.insert(index)
            }
            let next = countedActs(in: effective)
            precondition(permitting.decided.isSubset(of: next.decided), "rule C is monotone")
            if next.decided == permitting.decided {
                return Effect(
                    effective: effective, restricting: restricting, permitting: next,
                    suspensions: suspensions, cuts: cuts, admitted: admitted)
            }
            permitting = next
        }
    }

    private func cuts(
        in held: OracleSet, _ restricting: CountedActs, _ permitting: CountedActs,
        _ suspensions: Set<OracleAct>
    ) -> [String: Int] {
        var cuts = forks(in: held).mapValues { $0 - 1 }
        let replicas = Set(held.map { ReplicaOwner(changes[$0]) })
        func cut(_ keeps: [String: Int], where isMeant: (ReplicaOwner) -> Bool) {
            for owner in replicas where isMeant(owner) {
                cuts[owner.replica] = min(cuts[owner.replica] ?? .max, keeps[owner.replica] ?? 0)
            }
        }
        for act in suspensions {
            if case .suspend(let subject, let keeps) = act.content { cut(keeps) { $0.member == subject } }
        }
        for signed in restricting.own {
            if case .revoke(let node, let keeps) = signed.act.content {
                cut(keeps) { $0.member == signed.signer && $0.node == node }
            }
        }
        let members = grants(of: permitting).filter { $0.role == .member }
        for leave in restricting.leaves {
            let hasReturned = members.contains {
                $0.member == leave.subject && !leave.standing.contains($0.name)
            }
            if !hasReturned { cut(leave.keeps) { $0.member == leave.subject } }
        }
        return cuts
    }

    private struct ReplicaOwner: Hashable {
        let replica: String
        let member: String
        let node: String

        init(_ change: OracleChange) {
            (replica, member, node) = (change.replica, change.member, change.node)
        }
    }
}
