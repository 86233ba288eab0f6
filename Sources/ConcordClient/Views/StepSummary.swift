// Who is in step, counted from the status document alone: for the verdict's sentence, for `wait` and for exit
// codes.

import ConcordAPI

/// How a peer stands, the worst first: the order of the table.
public enum PeerStanding: Int, Comparable, Sendable {
    case refused, unreachable, silent, connecting, paused, behind
    /// Connected, and how far is not known yet.
    case unknown
    /// Never met here: what is known of it came through others.
    case indirect
    case inStep

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension StatusDocument.Peer {
    /// How this peer stands.
    public var standing: PeerStanding {
        let isBehind = spaces.contains { ($0.theyLack ?? 0) > 0 || ($0.weLack ?? 0) > 0 }
        if road.kind == "relay", !isBehind { return .indirect }
        switch state {
        case .refused: return .refused
        case .unreachable: return .unreachable
        case .silent: return lastHeardAt == nil && address == nil ? .indirect : .silent
        case .connecting: return .connecting
        case .paused: return .paused
        case .connected: break
        }
        if isBehind { return .behind }
        guard !spaces.isEmpty, spaces.allSatisfy({ $0.theyLack == 0 && $0.weLack == 0 }) else {
            return .unknown
        }
        return .inStep
    }

    /// The changes that the peer lacks, all spaces together; nil if it is not known of one.
    public var theyLack: Int64? { Self.sum(spaces.map(\.theyLack)) }
    /// The changes of the peer's that are not here, all spaces together; nil if it is not known of one.
    public var weLack: Int64? { Self.sum(spaces.map(\.weLack)) }

    private static func sum(_ numbers: [Int64?]) -> Int64? {
        numbers.isEmpty
            ? nil : numbers.reduce(0) { sum, number in sum.flatMap { sum in number.map { sum + $0 } } }
    }
}

/// How many of the members are in step with this node.
public struct StepSummary: Hashable, Sendable {
    /// The other members.
    public let members: Int
    /// Those of which a node holds exactly what this node holds.
    public let inStep: Int
    /// Those of which all that is known here came through others.
    public let indirect: Int
    /// The best of this member's own other nodes, nil if it has none.
    private let sisters: PeerStanding?
    /// Addresses of which it is not known yet who answers there.
    private let strangers: [PeerStanding]

    /// Counts the members of `status`. A member stands as the best of its nodes: these exchange among
    /// themselves.
    public init(_ status: StatusDocument) {
        var best: [String: PeerStanding] = [:]
        for peer in status.peers {
            guard let member = peer.member else { continue }
            best[member] = max(best[member] ?? .refused, peer.standing)
        }
        sisters = best.removeValue(forKey: status.node.member)
        members = best.count
        inStep = best.values.count { $0 == .inStep }
        indirect = best.values.count { $0 == .indirect }
        strangers = status.peers.filter { $0.member == nil }.map(\.standing)
    }

    /// Whether nothing is left to wait for: every member is in step or reached only through others, at least
    /// one is in step if there are any, and no address might still turn out to be one of theirs.
    private var isSettled: Bool {
        if strangers.contains(.connecting) || indirect > 0 && !strangers.isEmpty { return false }
        guard sisters.map({ $0 == .inStep || $0 == .indirect }) ?? true else { return false }
        guard members > 0 || sisters != nil else { return strangers.isEmpty }
        return (inStep > 0 || sisters == .inStep) && inStep + indirect == members
    }

    /// Whether `status` shows everybody in step, or a node of the member `code`.
    ///
    /// Of a member that is reached only through others nothing is known for certain: it does not count as in
    /// step when it is asked for by its code, and does not stand in the way when everybody is asked for.
    public static func isInStep(_ status: StatusDocument, with code: String?) -> Bool {
        guard let code else { return StepSummary(status).isSettled }
        return status.peers.contains { $0.member == code && $0.standing == .inStep }
    }
}

extension StatusDocument {
    /// The exit code of `status`: 0 in step, 4 degraded, 5 needs a person, 6 integrity failure.
    public var exitCode: Int32 {
        switch verdict {
        case .inStep: 0
        case .degraded: 4
        case .needsAPerson: 5
        case .integrityFailure: 6
        }
    }
}
