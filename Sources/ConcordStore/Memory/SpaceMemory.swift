// What the writer keeps in memory of a space: its chains, the interned epochs, who stands on the effective
// roster. All of it is a copy of what the tables say; when a transaction fails it is thrown away and read
// again. Only the writer's queue touches it.

import ConcordCrypto
import ConcordModel

/// What stood at some moment: whoever holds the same mark has seen the same.
final class StandingMark: Sendable {}

/// A space, as the writer knows it.
final class SpaceMemory {
    /// The row in `space`.
    let id: Int64
    let charter: SignedCharter
    /// The authority that was named in the invite, until it stands on the roster.
    var inviter: [UInt8]? { didSet { standing = StandingMark() } }
    /// The authorities of each member that may vouch for a chain: of the charter, and of every admission and rotation
    /// that is held.
    var authorities: [MemberID: [Certificate]]
    /// All chains, in the order in which they became known.
    private(set) var chains: [Chain] = []
    /// Places in ``chains``, ascending by name.
    private(set) var order: [Int] = []
    private var placeOfName: [ReplicaID: Int] = [:]
    /// The places of the segments of each replica, ascending by start.
    private var segmentsOfReplica: [ReplicaID: [Int]] = [:]
    /// The lowest forked sequence of each replica that signed two changes of one number.
    private(set) var forks: [ReplicaID: UInt64] = [:]
    private var placeOfRow: [Int64: Int] = [:]
    /// The sorted carriers of acts of each epoch; the first epoch knows none.
    private(set) var epochs: [[Dot]] = [[]]
    private var epochOfCarriers: [[Dot]: Int] = [[]: 0]
    private var rosterOfEpoch: [Int: Roster] = [:]
    /// The valid endorsements of each change that carries some (rule B1).
    var endorsements: [Dot: [Endorsement]] = [:]
    /// The valid endorsements of restrictive acts, wherever they are held.
    private(set) var restrictions: [Endorsement] = []
    /// What acts of erasure order that are held.
    private(set) var erasures: ErasureOrders
    /// The first change of each chain of which values are missing that nothing held orders to go, by name.
    var provisional: [ReplicaID: UInt64] = [:]
    /// The roster of the effective set.
    var roster: Roster { didSet { standing = StandingMark() } }
    /// Marks what it follows from whose nodes are let in: roster, inviter, and which chains there are.
    private(set) var standing = StandingMark()
    /// The authority that issued the certificate of each node that this database writes as, once it was looked for: it
    /// takes a signature to be verified to find it, and no other can have issued the same certificate.
    var ownIssuers: [NodeID: Certificate] = [:]
    /// Where restrictions end the effect of chains.
    var cutOffs: CutOffs
    /// The place of the latest change in the order of arrival.
    var position: Int64 = 0
    /// The sum of the digest terms of all records.
    var terms: DigestSum

    /// The charter's hash, which is asked for with every change.
    let space: SpaceID

    init(
        id: Int64, charter: SignedCharter, inviter: [UInt8]?, authorities: [MemberID: [Certificate]],
        terms: DigestSum
    ) {
        self.terms = terms
        self.id = id
        self.charter = charter
        space = charter.charter.space
        self.inviter = inviter
        self.authorities = authorities
        roster = Roster(charter: charter.charter)
        cutOffs = CutOffs(roster: roster, restrictions: [])
        erasures = ErasureOrders(charter: charter.charter, endorsements: [])
    }

    // MARK: Chains

    /// The place of the chain of this name.
    func place(_ name: ReplicaID) -> Int? { placeOfName[name] }

    func place(row: Int64) -> Int? { placeOfRow[row] }

    /// The chain of this name.
    func chain(_ name: ReplicaID) -> Chain? { placeOfName[name].map { chains[$0] } }

    /// The segments of a replica, ascending by start.
    func segments(_ replica: ReplicaID) -> [Chain] {
        (segmentsOfReplica[replica] ?? []).map { chains[$0] }
    }

    @discardableResult
    func add(_ chain: Chain) -> Int {
        let place = chains.count
        chains.append(chain)
        standing = StandingMark()
        placeOfName[chain.name] = place
        placeOfRow[chain.id] = place
        let index = order.firstIndex { chains[$0].name > chain.name } ?? order.count
        order.insert(place, at: index)
        var segments = segmentsOfReplica[chain.replica] ?? []
        segments.append(place)
        segments.sort { (chains[$0].start, chains[$0].name) < (chains[$1].start, chains[$1].name) }
        segmentsOfReplica[chain.replica] = segments
        for (first, second) in zip(segments, segments.dropFirst())
        where chains[first].start == chains[second].start {
            forks[chain.replica] = min(forks[chain.replica] ?? .max, chains[first].start)
        }
        return place
    }

    func update(_ place: Int, _ body: (inout Chain) -> Void) { body(&chains[place]) }

    /// The chain that this database writes as the node with this certificate.
    func ownPlace(_ node: NodeID) -> Int? {
        chains.lastIndex { $0.isOwn && $0.node == node }
    }

    /// Whether the change of this name is held.
    func holds(_ dot: Dot) -> Bool { chain(dot.replica).map { $0.sequence >= dot.sequence } ?? false }

    /// Whether the change of this name has effect.
    func isEffective(_ dot: Dot) -> Bool { chain(dot.replica).map { $0.effective >= dot.sequence } ?? false }

    // MARK: Names

    /// The names that a dot may stand for: what bears it, on all branches of the replica.
    func names(of dot: Dot) -> [Dot] {
        guard forks[dot.replica] != nil else { return isBranch(dot.replica) ? [] : [dot] }
        return segments(dot.replica).filter { $0.holds(dot.sequence) }.map { Dot($0.name, dot.sequence) }
            .sorted()
    }

    /// What a version vector by replicas stands for, by the names of chains: of each branch as much.
    func names(of vector: VersionVector) -> VersionVector {
        guard !forks.isEmpty else { return vector }
        var named = VersionVector()
        for element in vector.elements {
            guard forks[element.replica] != nil else {
                if !isBranch(element.replica) { named.raise(element.replica, to: element.sequence) }
                continue
            }
            for segment in segments(element.replica) where segment.start <= element.sequence {
                named.raise(segment.name, to: min(element.sequence, segment.sequence))
            }
        }
        return named
    }

    /// Whether this is the name of a branch, under which nobody writes and which nobody may name.
    private func isBranch(_ name: ReplicaID) -> Bool { chain(name).map { $0.replica != name } ?? false }

    /// The real name of a change.
    func real(_ dot: Dot) -> Dot {
        guard !forks.isEmpty, let chain = chain(dot.replica) else { return dot }
        return Dot(chain.replica, dot.sequence)
    }

    /// A version vector by the names of chains as one by replicas.
    func real(_ vector: VersionVector) -> VersionVector {
        guard !forks.isEmpty else { return vector }
        return VersionVector(vector.dots.map(real))
    }

    // MARK: Cut-offs

    /// The last sequence of a chain's replica that may have effect of itself (rule C).
    func cutOff(_ chain: Chain) -> UInt64 {
        let fork = forks[chain.replica].map { $0 - 1 } ?? .max
        guard !cutOffs.isEmpty else { return fork }
        let cut = cutOffs.cutOff(of: chain.replica, node: chain.node, member: chain.member)
        return min(fork, cut ?? .max)
    }

    // MARK: Epochs

    /// Takes over an epoch that is stored.
    func addStored(epoch carriers: [Dot]) {
        epochOfCarriers[carriers] = epochs.count
        epochs.append(carriers)
    }

    /// The number of the epoch with these carriers, and whether it is new.
    func intern(_ carriers: [Dot]) -> (epoch: Int, isNew: Bool) {
        if let known = epochOfCarriers[carriers] { return (known, false) }
        addStored(epoch: carriers)
        return (epochs.count - 1, true)
    }

    /// The roster that a change of this epoch finds in its past (rule B2).
    func roster(epoch: Int) -> Roster {
        if let known = rosterOfEpoch[epoch] { return known }
        let valid = epochs[epoch].flatMap { endorsements[$0] ?? [] }
        let roster = Roster(charter: charter.charter, endorsements: valid)
        rosterOfEpoch[epoch] = roster
        return roster
    }

    /// The role of a chain's author in a change of this epoch (rule B3).
    func role(of chain: Chain, epoch: Int) -> Role? {
        let roster = roster(epoch: epoch)
        guard chain.isCertified, let entry = roster.entry(chain.member), entry.suspensions.isEmpty,
            entry.hadAuthority(chain.issuer), !roster.isRevoked(chain.node, of: chain.member)
        else { return nil }
        return entry.role
    }

    /// Takes in the valid endorsements of a change.
    ///
    /// - Returns: whether one of them restricts.
    @discardableResult
    func add(_ valid: [Endorsement], of dot: Dot) -> Bool {
        endorsements[dot] = valid
        let restrictive = valid.filter(\.act.isRestriction)
        restrictions += restrictive
        if restrictive.contains(where: \.act.isErasure) {
            erasures = ErasureOrders(charter: charter.charter, endorsements: restrictions)
        }
        return !restrictive.isEmpty
    }

    /// The roster when these changes are effective, and all restrictions count that are held (rule C).
    func roster(isEffective: (Dot) -> Bool) -> Roster {
        let carriers = endorsements.keys.filter(isEffective).sorted()
        return Roster(
            charter: charter.charter, permissions: carriers.flatMap { endorsements[$0] ?? [] },
            restrictions: restrictions)
    }

    // MARK: Replay

    /// Forgets everything that is derived from the log, save the chains themselves.
    func forgetDerived() {
        epochs = [[]]
        epochOfCarriers = [[]: 0]
        rosterOfEpoch = [:]
        endorsements = [:]
        restrictions = []
        erasures = ErasureOrders(charter: charter.charter, endorsements: [])
        roster = Roster(charter: charter.charter)
        cutOffs = CutOffs(roster: roster, restrictions: [])
        for place in chains.indices {
            chains[place].sequence = chains[place].start - 1
            chains[place].effective = 0
            chains[place].epoch = 0
            chains[place].known = nil
        }
    }
}

extension Act {
    /// Whether the act counts wherever it is held, hidden or not (rule C).
    var isRestriction: Bool {
        switch self {
        case .suspension, .revocation, .departure, .erasure: true
        default: false
        }
    }

    /// Whether the act orders values to go.
    var isErasure: Bool { if case .erasure = self { true } else { false } }

    /// Whether the act says something about the roster.
    var concernsRoster: Bool {
        switch self {
        case .endorsement, .erasure, .other: false
        default: true
        }
    }
}
