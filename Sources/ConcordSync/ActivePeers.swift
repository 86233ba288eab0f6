// With whom a node connects. In a small network with everybody. In a large one with a few, drawn at random but always
// alike from the ids of the two, so that the choice stays as it is while nothing changes; a network in which every node
// has eight such neighbours or more is connected with overwhelming probability, and stays so when many fail.

import ConcordCrypto

/// Chooses the peers of a node out of those that it knows. Pure: the daemon and the simulator ask alike.
public struct ActivePeers<Key: Hashable & Comparable & Sendable>: Sendable {
    /// A peer that is known, or an address behind which one is expected.
    public struct Candidate: Sendable {
        /// What stands for it.
        public let key: Key
        /// What tells it from others, the same each time: the choice is drawn from it.
        public let bytes: [UInt8]
        /// Whether there is a session with it.
        public let isConnected: Bool
        /// Whether a person of this node named it.
        public let isByHand: Bool
        /// Whether it was not reached lately, or had no place.
        public let isAvoided: Bool

        /// A candidate of these properties.
        public init(
            key: Key, bytes: [UInt8], isConnected: Bool, isByHand: Bool = false, isAvoided: Bool = false
        ) {
            self.key = key
            self.bytes = bytes
            self.isConnected = isConnected
            self.isByHand = isByHand
            self.isAvoided = isAvoided
        }
    }

    /// What to do about a peer that connects by itself.
    public enum Admission: Hashable, Sendable {
        /// It is welcome.
        case accepted
        /// It is welcome, and this one makes room for it.
        case acceptedInPlaceOf(Key)
        /// There is no place for it.
        case full
    }

    /// Up to so many nodes, this one included, everybody connects with everybody.
    public static var meshNodes: Int { 64 }
    /// So many peers a node has at most in a larger network.
    public static var most: Int { 12 }
    /// With fewer than so many it looks for more.
    public static var enough: Int { 8 }

    private let ownBytes: [UInt8]
    private let isMesh: Bool
    private let candidates: [Candidate]

    /// - Parameters:
    ///   - ownBytes: what tells this node from others.
    ///   - nodeCount: how many nodes there are, as far as is known, this one included.
    ///   - candidates: every peer that is connected, and all that could be.
    public init(ownBytes: [UInt8], nodeCount: Int, candidates: [Candidate]) {
        self.ownBytes = ownBytes
        isMesh = nodeCount <= Self.meshNodes
        self.candidates = candidates
    }

    /// Whom to dial, the first first.
    ///
    /// - Parameter underWay: how many are being dialled already.
    public func toDial(underWay: Int = 0) -> [Key] {
        let free = candidates.filter { !$0.isConnected }
        guard !isMesh else { return free.map(\.key).sorted() }
        let lacking = Self.enough - connected.count - underWay
        guard lacking > 0 else { return [] }
        return ranked(free).prefix(lacking).map(\.key)
    }

    /// With whom to end the session, since there are more than there should be.
    public var toDrop: [Key] {
        guard !isMesh, connected.count > Self.most else { return [] }
        return ranked(connected).suffix(connected.count - Self.most).map(\.key)
    }

    /// What to do about a peer that connects by itself and is not connected yet.
    ///
    /// - Parameter isStranger: whether it had no session with this node for long. It may know nobody else: then somebody
    ///   who surely does makes room for it.
    public func admission(isByHand: Bool, isStranger: Bool) -> Admission {
        guard !isMesh, connected.count >= Self.most else { return .accepted }
        let last = ranked(connected).last { !$0.isByHand }
        guard isByHand || isStranger, let last else { return .full }
        return .acceptedInPlaceOf(last.key)
    }

    private var connected: [Candidate] { candidates.filter(\.isConnected) }

    /// Those that were not reached last; then those named by hand first; otherwise as drawn.
    private func ranked(_ some: [Candidate]) -> [Candidate] {
        let drawn = some.map { candidate in
            let hash = SHA256.hash(ownBytes, candidate.bytes).bytes.prefix(8).reduce(0) {
                $0 << 8 | UInt64($1)
            }
            return (candidate, (candidate.isAvoided ? 1 : 0, candidate.isByHand ? 0 : 1, hash, candidate.key))
        }
        return drawn.sorted { $0.1 < $1.1 }.map(\.0)
    }
}
