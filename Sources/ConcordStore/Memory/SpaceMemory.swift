// What the writer keeps in memory of a space: its chains, the interned epochs, who stands on the effective
// roster. All of it is a copy of what the tables say; when a transaction fails it is thrown away and read
// again. Only the writer's queue touches it.

import ConcordCrypto
import ConcordModel

/// A space, as the writer knows it.
final class SpaceMemory {
    /// The row in `space`.
    let id: Int64
    let charter: SignedCharter
    /// The authority that was named in the invite, until it stands on the roster.
    var inviter: [UInt8]?
    /// The authorities that may vouch for a chain: of the charter, and of every admission that is held.
    var authorities: [MemberID: Certificate]
    /// All chains, in the order in which they became known.
    private(set) var chains: [Chain] = []
    /// Places in ``chains``, ascending by replica.
    private(set) var order: [Int] = []
    private var placeOfReplica: [ReplicaID: Int] = [:]
    private var placeOfRow: [Int64: Int] = [:]
    /// The sorted carriers of acts of each epoch; the first epoch knows none.
    private(set) var epochs: [[Dot]] = [[]]
    private var epochOfCarriers: [[Dot]: Int] = [[]: 0]
    private var rosterOfEpoch: [Int: Roster] = [:]
    /// The valid endorsements of each change that carries some (rule B1).
    var endorsements: [Dot: [Endorsement]] = [:]
    /// The roster of the effective set.
    var roster: Roster
    /// The place of the latest change in the order of arrival.
    var position: Int64 = 0
    /// Which parts of the digest must be recomputed, and the digests of the others as far as they were read.
    var buckets = Buckets()

    var space: SpaceID { charter.charter.space }

    init(id: Int64, charter: SignedCharter, inviter: [UInt8]?, authorities: [MemberID: Certificate]) {
        self.id = id
        self.charter = charter
        self.inviter = inviter
        self.authorities = authorities
        roster = Roster(charter: charter.charter)
    }

    // MARK: Chains

    func place(_ replica: ReplicaID) -> Int? { placeOfReplica[replica] }

    func place(row: Int64) -> Int? { placeOfRow[row] }

    func chain(_ replica: ReplicaID) -> Chain? { placeOfReplica[replica].map { chains[$0] } }

    @discardableResult
    func add(_ chain: Chain) -> Int {
        let place = chains.count
        chains.append(chain)
        placeOfReplica[chain.replica] = place
        placeOfRow[chain.id] = place
        let index = order.firstIndex { chains[$0].replica > chain.replica } ?? order.count
        order.insert(place, at: index)
        return place
    }

    func update(_ place: Int, _ body: (inout Chain) -> Void) { body(&chains[place]) }

    /// The chain that this database writes as the node with this certificate.
    func ownPlace(_ node: NodeID) -> Int? {
        chains.lastIndex { $0.isOwn && $0.node == node }
    }

    /// Whether the change is held.
    func holds(_ dot: Dot) -> Bool { chain(dot.replica).map { $0.sequence >= dot.sequence } ?? false }

    /// Whether the change has effect.
    func isEffective(_ dot: Dot) -> Bool { chain(dot.replica).map { $0.effective >= dot.sequence } ?? false }

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

    /// The roster of the effective set (rule C), computed anew.
    func effectiveRoster() -> Roster {
        let carriers = endorsements.keys.filter(isEffective).sorted()
        return Roster(charter: charter.charter, endorsements: carriers.flatMap { endorsements[$0] ?? [] })
    }
}
