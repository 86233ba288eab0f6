// With whom this node is connected: with everybody in a small network, with a few in a large one. The choice itself is
// ActivePeers of ConcordSync; here stands what is known of the candidates.

import ConcordModel
import ConcordStore
import ConcordSync

/// What stands for a peer when peers are chosen.
enum PeerKey: Hashable, Comparable {
    /// A node with which there is a session.
    case node(NodeID)
    /// Where one is expected that is not connected.
    case address(NodeAddress)
}

extension PeerManager {
    /// The addresses to dial now, out of all that are wanted, the first first. In a large network sessions beyond what
    /// it takes are ended.
    func chosen(from wanted: Set<NodeAddress>) -> [NodeAddress] {
        let choice = choice(free: wanted.filter(shouldDial))
        for case .node(let node) in choice.toDrop {
            links[node]?.driver.submit(.stop(.peersFull, "this node has as many peers as it takes"))
        }
        let underWay = roads.values.count { $0.task != nil && $0.pause == nil && !$0.isCarrying }
        return choice.toDial(underWay: underWay).compactMap { key in
            if case .address(let address) = key { address } else { nil }
        }
    }

    /// Whether a node that is not connected gets a place.
    ///
    /// - Parameter dialled: whether this node dialled it: then others may have taken the place meanwhile.
    func admits(_ node: NodeID, dialled: Bool) -> Bool {
        let choice = choice(free: [])
        let lastHeard = acquaintances[node]?.known.lastHeard ?? .min
        let isStranger = !dialled && lastHeard < setting.clock() - PeerLimits.strangerAfter
        switch choice.admission(isByHand: false, isStranger: isStranger) {
        case .accepted: return true
        case .acceptedInPlaceOf(.node(let other)):
            links[other]?.driver.submit(.stop(.peersFull, "another peer takes the place"))
            return true
        case .acceptedInPlaceOf, .full: return false
        }
    }

    /// Whether there are so many nodes that not everybody connects with everybody.
    var isLargeNetwork: Bool { nodeCount > ActivePeers<PeerKey>.meshNodes }

    private func choice(free: Set<NodeAddress>) -> ActivePeers<PeerKey> {
        let carried = Set(addressesOfPeople.compactMap { roads[$0]?.node })
        let connected = links.keys.map { node in
            ActivePeers<PeerKey>.Candidate(
                key: .node(node), bytes: node.digest.bytes, isConnected: true,
                isByHand: carried.contains(node))
        }
        let others = free.map { address in
            ActivePeers<PeerKey>.Candidate(
                key: .address(address), bytes: Array(address.description.utf8), isConnected: false,
                isByHand: addressesOfPeople.contains(address),
                isAvoided: roads[address]?.avoidedUntil.map { $0 > .now } ?? false)
        }
        return ActivePeers(
            ownBytes: setting.identity.nodeID.digest.bytes, nodeCount: nodeCount,
            candidates: connected + others)
    }

    /// How many nodes there seem to be: those that were met, and addresses behind which none of these is, and this one.
    private var nodeCount: Int {
        let met = acquaintances.values.filter { setting.trusted.authority(of: $0.known.member) != nil }
        let named = Set(met.flatMap(\.known.addresses))
        let unmet = roads.count { address, road in
            road.node == nil && !road.isSelf && !named.contains(address.description)
        }
        return met.count + unmet + 1
    }
}
