// Which acts count in a set of changes (rules B2 and C), and what follows from them.

extension Oracle {
    /// The acts that count in a set of carriers.
    struct CountedActs {
        /// Acts of which enough distinct members are valid signers: admissions, suspensions, reinstatements.
        var decided: Set<OracleAct> = []
        /// Valid acts of a member in its own affairs: revocations, leaves, rotations.
        var own: Set<OracleSignedAct> = []

        var leaves: [(name: String, subject: String, standing: Set<String>, keeps: [String: Int])] {
            own.compactMap {
                guard case .leave(let subject, let standing, let keeps) = $0.act.content else { return nil }
                return ($0.act.name, subject, standing, keeps)
            }
        }
    }

    /// A founder's place, or an admission.
    struct Grant: Hashable {
        let name: String
        let member: String
        let role: OracleRole
    }

    func countedActs(in set: OracleSet) -> CountedActs {
        var signers: [OracleAct: Set<String>] = [:]
        var counted = CountedActs()
        for carrier in set.intersection(carriers) {
            for signed in validActs(in: carrier) {
                switch signed.act.content {
                case .admit, .suspend, .reinstate: signers[signed.act, default: []].insert(signed.signer)
                case .revoke, .leave, .rotate: counted.own.insert(signed)
                case .other: break
                }
            }
        }
        for (act, signers) in signers where signers.count >= threshold(of: act) {
            counted.decided.insert(act)
        }
        return counted
    }

    private func threshold(of act: OracleAct) -> Int {
        if case .suspend = act.content { charter.suspension } else { charter.admission }
    }

    /// By what members and observers stand on the roster.
    func grants(of acts: CountedActs) -> Set<Grant> {
        var grants = Set(charter.founders.map { Grant(name: charter.space, member: $0, role: .member) })
        for act in acts.decided {
            if case .admit(let subject, let role, _) = act.content {
                grants.insert(Grant(name: act.name, member: subject, role: role))
            }
        }
        return grants
    }

    /// Whether the member left, as far as this grant goes.
    func isGivenUp(_ grant: Grant, by acts: CountedActs) -> Bool {
        acts.leaves.contains { $0.subject == grant.member && $0.standing.contains(grant.name) }
    }

    /// The suspensions that no reinstatement of the same subject names.
    func suspensionsInForce(_ acts: CountedActs, lifting: CountedActs) -> Set<OracleAct> {
        acts.decided.filter { act in
            guard case .suspend(let subject, _) = act.content else { return false }
            return !lifting.decided.contains {
                guard case .reinstate(subject, let suspensions) = $0.content else { return false }
                return suspensions.contains(act.name)
            }
        }
    }
}
