// Which nodes need not come to hold the same as the others, and why, in words for people. How many were excused, and by
// which of the reasons, stands among the figures. Whoever has none of them must converge.

import ConcordModel

/// Why a node is excused from convergence.
public enum Excuse: String, CaseIterable, Sendable {
    /// A copy that nobody has started.
    case absent = "it is not there"
    /// The node that means ill: what it has, it says to whom it likes.
    case hostile = "it means ill"
    /// With a suspended member nobody exchanges (E-2052, E-2053).
    case suspended = "its member is suspended"
    /// A copy of a node that was revoked since.
    case revoked = "its member revoked it"
    /// All ways to it lead through nodes that are excused.
    case cutOff = "it is reached through others alone with which nobody exchanges"
}

extension Simulation {
    /// How long after the faults ended a node may be cut off by a suspension that was taken back, of which it cannot hear
    /// because all its peers are of that member: until then, it must be reached some other way.
    static let patienceWithSuspension: Int64 = 120_000

    /// The nodes that must come to hold the same.
    var judged: [Int] { nodes.indices.filter { excuses[$0] == nil } }

    /// The excuses of those that have one.
    var excuses: [Int: Excuse] {
        var found: [Int: Excuse] = [:]
        for number in nodes.indices {
            if nodes[number].original != nil, nodes[number].store == nil {
                found[number] = .absent
            } else if number == swarm.hostile {
                found[number] = .hostile
            } else if isSuspended, isOfSuspect(number) {
                found[number] = .suspended
            } else if let original = nodes[number].original, nodes[original].keyCount > 0 {
                found[number] = .revoked
            }
        }
        var reached = Set([0, swarm.laptop].compactMap { $0 })
        var grew = true
        while grew {
            grew = false
            for link in links
            where isOpen(link, found) && reached.contains(link.nodes.0) != reached.contains(link.nodes.1) {
                reached.formUnion([link.nodes.0, link.nodes.1])
                grew = true
            }
        }
        for number in nodes.indices where found[number] == nil && !reached.contains(number) {
            found[number] = .cutOff
        }
        return found
    }

    private func isOpen(_ link: SimulatedLink, _ excuses: [Int: Excuse]) -> Bool {
        let (first, second) = link.nodes
        guard excuses[first] == nil, excuses[second] == nil else { return false }
        guard let healedAt, now > healedAt + Self.patienceWithSuspension else { return true }
        return !excludes(first, second) && !excludes(second, first)
    }
}
