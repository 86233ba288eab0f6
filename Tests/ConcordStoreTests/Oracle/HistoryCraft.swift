// From a step to the operations of a change: what a step means for a node that holds certain changes. An
// honest node sees what the oracle sees, writes what is shown and names all that it overwrites; a hostile one
// does as it likes within the form that everybody checks (rules A).

/// What one node can see and do.
struct HistoryCraft {
    let oracle: Oracle
    let held: OracleSet
    let view: OracleView
    let member: String
    /// Nil for an honest node.
    let manner: HistoryManner?

    init(_ oracle: Oracle, holding held: OracleSet, member: String, manner: HistoryManner?) {
        self.oracle = oracle
        self.held = held
        self.member = member
        self.manner = manner
        view = oracle.view(of: held)
    }

    /// The records that it sees, in the order in which they were made.
    var records: [String] {
        view.records.keys.sorted { oracle.creations[$0]![0] < oracle.creations[$1]![0] }
    }

    /// The replicas of a member or of one of its nodes, with the highest sequence that `set` has of each.
    func heads(in set: OracleSet, where isMeant: (OracleChange) -> Bool) -> [String: Int] {
        var heads: [String: Int] = [:]
        for index in set where isMeant(oracle.changes[index]) {
            let dot = oracle.changes[index].dot
            heads[dot.replica] = max(heads[dot.replica] ?? 0, dot.sequence)
        }
        return heads
    }

    func keeps(_ keep: HistoryKeep, where isMeant: (OracleChange) -> Bool) -> [String: Int] {
        let heads = heads(in: held, where: isMeant)
        switch keep {
        case .held: return heads
        case .effective:
            return self.heads(in: oracle.effect(of: held).effective, where: isMeant)
        case .part(let pick):
            return heads.mapValues { pick.number % ($0 + 1) }.filter { $0.value > 0 }
        }
    }

    /// What an act is to say, nil if the node would not draft it.
    func content(
        of procedure: HistoryProcedure, among members: Int, name: (Int) -> String,
        seat: (Int) -> Oracle.Node, newKey: (String) -> String
    ) -> OracleAct.Content? {
        switch procedure {
        case .again: return nil
        case .admit(let pick, let role, let predecessor):
            let all = (0..<members).map(name)
            let others = all.filter { view.roster[$0]?.role != .member }
            guard let subject = pick(others) ?? pick(all) else { return nil }
            let former = predecessor.map(name).flatMap { $0 == subject ? nil : $0 }
            return .admit(subject: subject, as: role, predecessor: former)
        case .suspend(let subject, let keep):
            return .suspend(
                subject: name(subject), keeps: keeps(keep) { $0.member == name(subject) })
        case .reinstate(let pick, let which):
            let suspended = (0..<members).map(name).filter { view.roster[$0]?.suspensions.isEmpty == false }
            guard let subject = pick(suspended), let all = view.roster[subject]?.suspensions else {
                return nil
            }
            let some = all.enumerated().filter { which >> ($0.offset % 3) & 1 == 1 }.map(\.element)
            return .reinstate(subject: subject, suspensions: Set(some.isEmpty ? all : some))
        case .revoke(let index, let keep):
            let node = seat(index)
            return .revoke(
                node: node.name, keeps: keeps(keep) { $0.member == node.member && $0.node == node.name })
        case .leave(let subject, let keep):
            let grants = oracle.grants(of: oracle.countedActs(in: held)).filter { $0.member == name(subject) }
            if grants.isEmpty { return nil }
            return .leave(
                subject: name(subject), standing: Set(grants.map(\.name)),
                keeps: keeps(keep) { $0.member == name(subject) })
        case .rotate(let subject):
            guard let old = view.roster[name(subject)]?.keys.min() else { return nil }
            return .rotate(subject: name(subject), replaces: old, key: newKey(name(subject)))
        }
    }

    /// Whether an honest node would pass on this signature: what the roster of E would call valid.
    func accepts(_ signer: String, under content: OracleAct.Content) -> Bool {
        switch content {
        case .admit(let subject, _, _), .suspend(let subject, _), .reinstate(let subject, _):
            view.isInStanding(signer) && signer != subject
        case .revoke(_, _): signer == member
        case .leave(let subject, _, _), .rotate(let subject, _, _): signer == subject
        case .other: view.isInStanding(signer)
        }
    }

    /// The dependencies of the next change after `previous` (rule C1, or what the manner makes of it).
    ///
    /// - Parameter name: the replica, which what begins it anew must not depend upon.
    func dependencies(after previous: String?, of name: String? = nil) -> [String] {
        let own = previous.map { oracle.closure([$0]) } ?? OracleSet()
        let replica = name ?? previous.flatMap(oracle.change)?.replica
        let basis: OracleSet
        switch manner?.past ?? .honest {
        case .honest: basis = oracle.effect(of: held).effective
        case .smuggling: basis = held
        case .backDated(let pick):
            let all = Array(held)
            basis = OracleSet(all.prefix(pick.number % (all.count + 1)))
        }
        // No change depends on its own replica by name; who forks depends on nothing that holds the other
        // branch.
        return oracle.frontier(of: basis).filter { hash in
            let index = oracle.number[hash]!
            guard !own.contains(index) else { return false }
            guard let replica else { return true }
            return !oracle.closure([hash]).contains {
                oracle.changes[$0].replica == replica && !own.contains($0)
            }
        }
    }
}
