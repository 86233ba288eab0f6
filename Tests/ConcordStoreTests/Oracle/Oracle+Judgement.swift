// Rules B: what follows from the past of a change alone, and is judged once for ever.

extension Oracle {
    /// One node of one member.
    struct Node: Hashable {
        let member: String
        let name: String
    }

    /// What the acts within a closed set say (rule B2).
    struct Standing {
        /// Members and observers in standing.
        var roles: [String: OracleRole] = [:]
        /// Those and the suspended.
        var listed: Set<String> = []
        var revoked: Set<Node> = []
        /// What was rotated: the keys that came, and those that went, by member.
        var rotated: [String: [(replaces: String, key: String)]] = [:]
        /// Former identities whose records a member owns, by member.
        var predecessors: [String: Set<String>] = [:]

        /// The authority keys that a member has: reachable from its founding key, and not replaced.
        func keys(of member: String) -> Set<String> {
            allKeys(of: member).subtracting((rotated[member] ?? []).map(\.replaces))
        }

        /// The authority keys that a member has or had.
        func allKeys(of member: String) -> Set<String> {
            let rotations = rotated[member] ?? []
            var reached: Set<String> = [member]
            while true {
                let more = rotations.filter { reached.contains($0.replaces) && !reached.contains($0.key) }
                if more.isEmpty { return reached }
                reached.formUnion(more.map(\.key))
            }
        }

        /// Whether the member may write what `owner` created.
        func owns(_ member: String, recordsOf owner: String) -> Bool {
            var reached: Set<String> = [member]
            var fresh = reached
            while !fresh.isEmpty {
                fresh = Set(fresh.flatMap { predecessors[$0] ?? [] }).subtracting(reached)
                reached.formUnion(fresh)
            }
            return reached.contains(owner)
        }
    }

    /// The roster of a closed set. It depends on the changes with acts alone.
    func standing(in set: OracleSet) -> Standing {
        let key = set.intersection(carriers)
        if let known = standings[key] { return known }
        let acts = countedActs(in: key)
        var standing = Standing()
        for grant in grants(of: acts) where !isGivenUp(grant, by: acts) {
            if standing.roles[grant.member] != .member { standing.roles[grant.member] = grant.role }
        }
        standing.listed = Set(standing.roles.keys)
        for act in suspensionsInForce(acts, lifting: acts) {
            if case .suspend(let subject, _) = act.content { standing.roles[subject] = nil }
        }
        for signed in acts.own {
            switch signed.act.content {
            case .revoke(let node, _): standing.revoked.insert(Node(member: signed.signer, name: node))
            case .rotate(let subject, let replaces, let key):
                standing.rotated[subject, default: []].append((replaces, key))
            default: break
            }
        }
        for act in acts.decided {
            if case .admit(let subject, _, let predecessor?) = act.content {
                standing.predecessors[subject, default: []].insert(predecessor)
            }
        }
        standings[key] = standing
        return standing
    }

    /// Rule B1. An act that others decide needs a member in standing other than its subject; what is a
    /// member's own affair needs that member alone, if it is on the roster, also while it is suspended.
    /// Either way the signature is that of a key which the signer then has.
    func isValid(_ signed: OracleSignedAct, in change: Int) -> Bool {
        let standing = standing(in: pasts[change])
        guard let key = signed.key, standing.listed.contains(signed.signer),
            standing.keys(of: signed.signer).contains(key)
        else { return false }
        switch signed.act.content {
        case .admit(let subject, _, _), .suspend(let subject, _), .reinstate(let subject, _):
            return standing.roles[signed.signer] == .member && signed.signer != subject
        case .revoke: return true
        case .leave(let subject, _, _): return signed.signer == subject
        case .rotate(let subject, let replaces, _): return signed.signer == subject && key == replaces
        case .other: return standing.roles[signed.signer] == .member
        }
    }

    /// The valid ones of the signed acts that a change carries.
    func validActs(in change: Int) -> [OracleSignedAct] {
        changes[change].signedActs.filter { isValid($0, in: change) }
    }

    /// Rule B3: the role in which a change was written, nil for none. Its node must have been certified by an
    /// authority that the member has or had, and that was not replaced before the replica began.
    func role(of change: Int) -> OracleRole? {
        let (author, standing) = (changes[change], standing(in: pasts[change]))
        if standing.revoked.contains(Node(member: author.member, name: author.node)) { return nil }
        guard standing.allKeys(of: author.member).contains(author.issuer) else { return nil }
        let beginning = self.standing(in: pasts[root(of: change)])
        let wasReplaced =
            beginning.listed.contains(author.member)
            && beginning.allKeys(of: author.member).contains(author.issuer)
            && !beginning.keys(of: author.member).contains(author.issuer)
        return wasReplaced ? nil : standing.roles[author.member]
    }

    /// Rule B4, for one operation of a change. False also for what stands on no record.
    func isAllowed(_ operation: Int, of change: Int) -> Bool {
        if let known = allowed[change] { return known[operation] }
        var verdicts: [Bool] = []
        for (place, operation) in changes[change].operations.enumerated() {
            verdicts.append(judge(operation, place, of: change, earlier: verdicts))
        }
        allowed[change] = verdicts
        return verdicts[operation]
    }

    /// - Parameter earlier: the verdicts on the operations before it in the change.
    private func judge(_ operation: OracleOperation, _ place: Int, of change: Int, earlier: [Bool]) -> Bool {
        guard let record = operation.record, role(of: change) == .member else { return false }
        /// The allowed creates of a record that the operation can build on.
        func creates(_ record: String) -> [(kind: String, owner: String)] {
            (creations[record] ?? []).compactMap { found in
                guard
                    found.change == change
                        ? found.operation < place && earlier[found.operation]
                        : isBefore(found.change, change) && isAllowed(found.operation, of: found.change),
                    case .create(_, let kind, _) = changes[found.change].operations[found.operation]
                else { return nil }
                return (kind, changes[found.change].member)
            }
        }
        if case .create(_, let kind, let parent) = operation {
            guard charter.ownedKinds.contains(kind) || charter.sharedKinds.contains(kind) else {
                return false
            }
            return parent.map { !creates($0).isEmpty } ?? true
        }
        let standing = standing(in: pasts[change])
        return creates(record).contains { kind, owner in
            charter.sharedKinds.contains(kind) || standing.owns(changes[change].member, recordsOf: owner)
        }
    }
}
