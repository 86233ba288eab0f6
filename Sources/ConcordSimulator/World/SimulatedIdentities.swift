// Identities that were made once, for all runs of the process: making one takes longer than many a thing in a run.

import ConcordCrypto
import Synchronization

/// Members and nodes by number.
final class SimulatedIdentities: Sendable {
    static let shared = SimulatedIdentities()

    private struct Known {
        var members: [Int: SimulatedIdentity] = [:]
        var nodes: [String: SimulatedIdentity] = [:]
    }

    private let known = Mutex(Known())

    /// The first node of a member.
    func member(_ number: Int) throws -> SimulatedIdentity {
        try known.withLock { known in
            if let found = known.members[number] { return found }
            let made = try SimulatedIdentity(number)
            known.members[number] = made
            return made
        }
    }

    /// A further node of a member.
    func node(_ number: Int, of first: SimulatedIdentity) throws -> SimulatedIdentity {
        try node(named: "Mission\(number)", of: first)
    }

    /// A node of this name, of the member of another one.
    func node(named city: String, of first: SimulatedIdentity) throws -> SimulatedIdentity {
        try known.withLock { known in
            if let found = known.nodes[first.code + city] { return found }
            let made = try first.another(city)
            known.nodes[first.code + city] = made
            return made
        }
    }
}
