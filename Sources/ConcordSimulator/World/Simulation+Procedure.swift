// Written procedure in a run: two founders suspend the member of the last node and take that back, again and again, as
// they come to know of it. Nodes of a suspended member are not exchanged with.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

extension Simulation {
    /// An act that is to be signed.
    enum Procedure: Sendable {
        case suspension(Suspension)
        case reinstatement(Reinstatement)
    }

    /// A node of the member that is suspended and reinstated: the last that is not of the first two founders, who sign.
    private var suspect: Int? { swarm.members.lastIndex { $0 > 1 } }

    /// Whether a node, or a copy that pretends to be it, is of the member that is suspended and reinstated.
    func isOfSuspect(_ node: Int) -> Bool {
        suspect.map { nodes[node].identity.member == nodes[$0].identity.member } ?? false
    }

    /// Drafts the next act, which both founders sign, each in its own time.
    mutating func draftProcedure() async throws {
        guard let suspect, isAwake(0), let store = nodes[0].store,
            try store.roster(space).entry(nodes[suspect].identity.member) != nil,
            let held = try await attempt(0, { [space] store in try store.nodes(space) })
        else { return }
        let act = isSuspended ? reinstate(suspect) : suspend(suspect, held)
        for signer in 0...1 {
            queue.add(.sign(signer: signer, act: act), at: now + choices.duration(mean: 500))
        }
    }

    /// The faults end: a suspension stays, or is taken back for good.
    mutating func healProcedure() throws {
        guard isSuspended, swarm.endsReinstated else { return }
        signReinstatement()
    }

    private mutating func signReinstatement() {
        guard let suspect else { return }
        let act = reinstate(suspect)
        for signer in 0...1 { queue.add(.sign(signer: signer, act: act), at: now + 100) }
    }

    /// A signature may have been refused by a disk that failed, lost with a database that was set back, or have no effect
    /// since its carrier stands behind a fork: people see what is pending, and sign again.
    mutating func signAgain() throws {
        guard now >= signedAgainAt + 10_000 else { return }
        signedAgainAt = now
        for signer in 0..<2 {
            guard let store = nodes[signer].store, nodes[signer].hasSpace else { continue }
            let roster = try store.roster(space)
            for subject in swarm.founders..<max(swarm.founders, swarm.nodes)
            where roster.entry(nodes[subject].identity.member) == nil && signer < swarm.founders {
                queue.add(.endorse(signer: signer, subject: subject), at: now)
            }
            guard swarm.has(.procedure), !isSuspended, let suspect else { continue }
            if roster.entry(nodes[suspect].identity.member)?.suspensions.isEmpty == false {
                return signReinstatement()
            }
        }
    }

    private mutating func suspend(_ suspect: Int, _ replicas: [KnownReplica]) -> Procedure {
        let member = nodes[suspect].identity.member
        let held = replicas.filter { $0.member == member }
        let act = Suspension(
            space: space, subject: member, keeps: cutOffs(held), reason: "as a test",
            timestamp: 1_500_000_000_000 + now)
        suspensions.append(act.hash)
        isSuspended = true
        figures.procedures += 1
        log(0, "draft the suspension of \(nodes[suspect].name)")
        return .suspension(act)
    }

    private mutating func reinstate(_ suspect: Int) -> Procedure {
        let act = Reinstatement(
            space: space, subject: nodes[suspect].identity.member,
            suspensions: suspensions.suffix(Limits.dependencies),
            timestamp: 1_500_000_000_000 + now)
        isSuspended = false
        figures.procedures += 1
        log(0, "draft the reinstatement of \(nodes[suspect].name)")
        return .reinstatement(act)
    }

    /// An act with the signature of a node's member.
    func signed(_ act: [UInt8], by node: Int) throws -> SignedAct {
        try withSeededSignatures(UInt64(act.count) << 32 | UInt64(node)) {
            try SignedAct(act: act, key: nodes[node].identity.authorityKey)
        }
    }

    /// A founder signs an act as soon as its node runs.
    mutating func sign(_ act: Procedure, _ signer: Int) async throws {
        guard nodes[signer].store != nil, nodes[signer].pausedUntil <= now else {
            return queue.add(.sign(signer: signer, act: act), at: now + 500)
        }
        let encoded =
            switch act {
            case .suspension(let act): act.encoded
            case .reinstatement(let act): act.encoded
            }
        log(signer, "sign the act")
        try await write(
            [.init(draft: [.act(try signed(encoded, by: signer))])], at: signer)
        try endWithExcluded(signer)
    }

    /// Ends the sessions of a node with peers that are suspended or revoked, as far as it knows.
    mutating func endWithExcluded(_ node: Int) throws {
        guard swarm.hasExclusion, nodes[node].store != nil, nodes[node].hasSpace else { return }
        for id in connections.keys.sorted() {
            guard let side = connections[id]?.side(of: node), let peer = connections[id]?.ends[1 - side].node,
                excludes(node, peer)
            else { continue }
            try feed(id, side, .stop(.peerSuspended, "the member is suspended, or its node revoked"))
        }
    }

    /// Whether a node believes that the member of another one is suspended, or that node revoked.
    func excludes(_ node: Int, _ peer: Int) -> Bool {
        guard swarm.hasExclusion, let roster = try? nodes[node].store?.roster(space) else { return false }
        let identity = nodes[peer].identity
        return roster.entry(identity.member)?.suspensions.isEmpty == false
            || roster.isRevoked(NodeID(certificate: identity.node), of: identity.member)
    }
}
