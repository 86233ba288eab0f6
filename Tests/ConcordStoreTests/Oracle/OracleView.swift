// All that the oracle says of one set of changes, in a form that can be compared and printed.

/// What follows from holding a set of changes.
struct OracleView: Equatable {
    /// One line of the roster.
    struct Line: Equatable {
        let role: OracleRole
        /// Names of the suspensions in force, ascending; with any, the member is not in standing.
        let suspensions: [String]
        /// The current authority keys.
        let keys: Set<String>
    }

    /// Hashes of the changes that count.
    var effective: Set<String>
    var roster: [String: Line]
    var records: [String: Oracle.Record]
    /// The operations on records that have no effect for ever, as hash and place.
    var refused: Set<[String]>

    /// Whether a member may write, as far as the roster goes.
    func isInStanding(_ member: String) -> Bool {
        guard let line = roster[member] else { return false }
        return line.role == .member && line.suspensions.isEmpty
    }

    /// The roster in words, as people and tests read it.
    var words: [String: String] {
        roster.mapValues {
            !$0.suspensions.isEmpty ? "suspended" : $0.role == .member ? "standing" : "observer"
        }
    }
}

extension Oracle {
    /// What a node sees that holds exactly these changes, which are closed under their pasts.
    func view(of held: OracleSet) -> OracleView {
        let effect = effect(of: held)
        var refused: Set<[String]> = []
        for index in held {
            for (place, operation) in changes[index].operations.enumerated()
            where operation.record != nil && !isAllowed(place, of: index) {
                refused.insert([changes[index].hash, String(place)])
            }
        }
        let records = fold(effect.effective, in: held)
        for (record, found) in records {
            for hash in found.texts.values.flatMap(\.inert) {
                let place = changes[number[hash]!].operations.firstIndex {
                    if case .edit(record, _, _) = $0 { true } else { false }
                }
                refused.insert([hash, String(place!)])
            }
        }
        return OracleView(
            effective: Set(effect.effective.map { changes[$0].hash }), roster: roster(effect),
            records: records, refused: refused)
    }

    func roster(_ effect: Effect) -> [String: OracleView.Line] {
        var roles: [String: OracleRole] = [:]
        for grant in grants(of: effect.permitting) where !isGivenUp(grant, by: effect.restricting) {
            if roles[grant.member] != .member { roles[grant.member] = grant.role }
        }
        let keys = standing(in: effect.effective)
        return Dictionary(
            uniqueKeysWithValues: roles.map { member, role in
                let suspensions = effect.suspensions.filter {
                    if case .suspend(member, _) = $0.content { true } else { false }
                }
                return (
                    member,
                    OracleView.Line(
                        role: role, suspensions: suspensions.map(\.name).sorted(), keys: keys.keys(of: member)
                    )
                )
            })
    }

    /// Whether a node of this member may write in the replica: in standing, not revoked, not forked (rule
    /// C1).
    func mayWrite(_ member: String, node: String, replica: String, holding held: OracleSet) -> Bool {
        let effect = effect(of: held)
        let line = roster(effect)[member]
        let isRevoked = effect.restricting.own.contains {
            if case .revoke(node, _) = $0.act.content { $0.signer == member } else { false }
        }
        return line?.role == .member && line?.suspensions == [] && !isRevoked
            && forks(in: held)[replica] == nil
    }

    /// The minimal frontier of a closed set: what an honest writer depends on, if the set is what is
    /// effective.
    func frontier(of set: OracleSet) -> [String] {
        var covered = OracleSet()
        for index in set { covered.formUnion(pasts[index]) }
        return set.filter { !covered.contains($0) }.map { changes[$0].hash }.sorted()
    }
}
