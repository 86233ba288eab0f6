// What becomes of the certificates of nodes in a run: they run out and are renewed, and members revoke nodes whose keys they
// no longer trust, while these go on writing.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

extension Simulation {
    /// A node's certificate ends; it gets a new one for its key at once, or after a while in which no new connection is
    /// accepted from it. Those that stand go on.
    mutating func renew(_ node: Int) {
        guard node != swarm.copied else { return }
        let time = choices.chance(50) ? 0 : choices.duration(mean: choices.pick([2_000, 20_000]))
        nodes[node].certificateEndedUntil = now + time
        log(node, "the certificate ends, a new one in \(time) ms")
        queue.add(.renew(node: node, number: choices.number(0...9)), at: now + time)
    }

    /// A node gets a new certificate for its key.
    mutating func giveCertificate(_ node: Int, _ number: Int) throws {
        guard !nodes[node].isRevoked else { return }
        nodes[node].identity = try nodes[node].identity.renewed(number)
        nodes[node].certificateEndedUntil = 0
        log(node, "a new certificate")
    }

    /// A member revokes one of its nodes; the act is carried by whoever is there. The node goes on until it hears of it,
    /// and gets a new key some time.
    mutating func revoke(_ node: Int) async throws {
        let carrier = choices.number(0...swarm.nodes - 1)
        guard node != swarm.hostile, carrier != swarm.hostile, !nodes[node].isRevoked,
            isAwake(carrier), nodes[carrier].hasSpace,
            let store = nodes[carrier].store,
            try store.roster(space).role(nodes[node].identity.member) != nil
        else { return }
        let identity = nodes[node].identity
        let revoked = NodeID(certificate: identity.node)
        guard let held = try await attempt(carrier, { [space] store in try store.nodes(space) }) else {
            return
        }
        let keeps = cutOffs(held.filter { $0.node == revoked && $0.member == identity.member })
        let act = Revocation(
            space: space, node: revoked, keeps: keeps, reason: "as a test",
            timestamp: 1_500_000_000_000 + now)
        log(carrier, "carry the revocation of \(nodes[node].name)")
        nodes[node].isRevoked = true
        figures.revocations += 1
        queue.add(.giveKey(node: node), at: now + choices.duration(mean: choices.pick([1_000, 10_000])))
        try await write([.init(draft: [.act(try signed(act.encoded, by: node))])], at: carrier)
        try endWithExcluded(carrier)
    }

    /// A node whose key was revoked is set up anew with another one, on the same disk.
    mutating func giveKey(_ node: Int) throws {
        guard nodes[node].isRevoked else { return }
        try die(node, .kill)
        nodes[node].keyCount += 1
        nodes[node].identity = try SimulatedIdentities.shared.node(
            named: "\(nodes[node].identity.city.prefix { $0 != "-" })-\(nodes[node].keyCount)",
            of: nodes[node].identity)
        nodes[node].isRevoked = false
        nodes[node].certificateEndedUntil = 0
        log(node, "a new key")
    }

    /// What an act leaves in effect: what its drafter holds, or less; then something that has effect already is hidden.
    mutating func cutOffs(_ held: [KnownReplica]) -> VersionVector {
        VersionVector(
            held.compactMap { chain in
                let cut = choices.chance(50) ? chain.sequence : chain.sequence / 2
                return cut == 0 ? nil : Dot(chain.replica, cut)
            })
    }
}
