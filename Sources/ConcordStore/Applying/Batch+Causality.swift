// Causal pasts, epochs, and what follows from them alone (rules B1 to B3). What a chain knows of the others is kept at
// its head in memory, and in `knowledge` one row for each step of growth: a change without dependencies inherits
// everything and costs nothing.

import CBOR
import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// What follows from a change's past, once and for all.
struct Judgement {
    let past: CausalPast
    /// Whether the change knows more of other chains than the one before it.
    let grew: Bool
    let epoch: Int
    /// The author's role (rule B3).
    let role: Role?
    /// What acts it carries that are valid endorsements (rule B1).
    let acts: CarriedActs
    var hasActs: Bool { acts != .none }
}

/// What a change carries of valid endorsements; stands in `log.acts`.
enum CarriedActs: Int64 {
    case none = 0
    /// Some, but none that tells a later change more about the roster than it knows already: the epoch stays.
    case statements = 1
    /// Some that say something new about the roster.
    case roster = 2
}

/// A signed act that is a valid endorsement.
struct ValidAct {
    let signed: SignedAct
    let endorsement: Endorsement
}

extension Batch {
    /// Judges the change that follows the head of a chain.
    func judge(
        _ change: Change, _ dependencies: [Dot], place: Int
    ) throws -> (judgement: Judgement, acts: [ValidAct]) {
        let chain = space.chains[place]
        let sequence = chain.sequence + 1
        let learned = try learn(dependencies, place: place, sequence: sequence)
        let epoch = try epoch(of: dependencies, from: try epochBefore(place))
        let acts = try validActs(in: change, epoch: epoch)
        let judgement = Judgement(
            past: CausalPast(of: Dot(chain.name, sequence), others: learned.others), grew: learned.grew,
            epoch: epoch, role: space.role(of: chain, epoch: epoch),
            acts: acts.isEmpty ? .none : isNews(acts, to: epoch) ? .roster : .statements)
        return (judgement, acts)
    }

    /// What the next change of a chain knows of the other chains, and whether that is more than its predecessor did.
    private func learn(
        _ dependencies: [Dot], place: Int, sequence: UInt64
    ) throws -> (others: VersionVector, grew: Bool) {
        let chain = space.chains[place]
        let inherited = try knownAtHead(place)
        // The first change of a branch takes over what its predecessor knew, which is of another chain.
        let before = chain.isEmpty ? VersionVector() : inherited
        guard !dependencies.isEmpty || chain.isEmpty && !inherited.isEmpty else { return (inherited, false) }
        var others = inherited
        for dot in dependencies where !others.contains(dot) {
            others.raise(dot.replica, to: dot.sequence)
            others.merge(try known(at: dot))
        }
        others[chain.name] = 0
        guard others != before else { return (before, false) }
        let insert = try db.cachedStatement(sql: "INSERT INTO knowledge VALUES (?, ?, ?, ?)")
        for element in others.elements where before[element.replica] < element.sequence {
            guard let other = space.chain(element.replica) else {
                preconditionFailure("A causal past is held as a whole.")
            }
            try insert.execute(arguments: [chain.id, other.id, sequence.stored, element.sequence.stored])
        }
        return (others, true)
    }

    /// What the last change of a chain knew of the other chains; of a chain that is still empty, what its first one
    /// will inherit.
    func knownAtHead(_ place: Int) throws -> VersionVector {
        let chain = space.chains[place]
        if let known = chain.known { return known }
        var loaded: VersionVector
        if chain.isEmpty {
            loaded = VersionVector()
            if let parent = chain.parent {
                loaded = try known(at: Dot(parent, chain.start - 1))
                loaded.raise(parent, to: chain.start - 1)
            }
        } else {
            loaded = try stored(place, upTo: chain.sequence)
        }
        space.update(place) { $0.known = loaded }
        return loaded
    }

    /// What a change that is held knew of the other chains.
    func known(at dot: Dot) throws -> VersionVector {
        guard let place = space.place(dot.replica) else { preconditionFailure("A dependency must be held.") }
        if space.chains[place].sequence == dot.sequence { return try knownAtHead(place) }
        return try stored(place, upTo: dot.sequence)
    }

    private func stored(_ place: Int, upTo sequence: UInt64) throws -> VersionVector {
        let statement = try db.cachedStatement(
            sql: """
                SELECT known FROM knowledge WHERE chain = ? AND other = ? AND sequence <= ?
                ORDER BY sequence DESC LIMIT 1
                """)
        let chain = space.chains[place]
        var known: [Dot] = []
        for index in space.order where index != place {
            let other = space.chains[index]
            let highest = try Int64.fetchOne(
                statement, arguments: [chain.id, other.id, sequence.stored])
            if let highest { known.append(Dot(other.name, UInt64(highest))) }
        }
        return VersionVector(known)
    }

    // MARK: Epochs

    /// The epoch from which the next change of a chain goes on.
    private func epochBefore(_ place: Int) throws -> Int {
        let chain = space.chains[place]
        guard chain.isEmpty, let parent = chain.parent else { return chain.epoch }
        return try epochAfter(Dot(parent, chain.start - 1))
    }

    /// The carriers of acts in the past of a change with these dependencies, interned.
    func epoch(of dependencies: [Dot], from start: Int) throws -> Int {
        var epoch = start
        for dot in dependencies {
            let other = try epochAfter(dot)
            guard other != epoch, other != 0 else { continue }
            let carriers = Set(space.epochs[epoch]).union(space.epochs[other])
            if carriers.count != space.epochs[epoch].count { epoch = try intern(Array(carriers)) }
        }
        return epoch
    }

    /// The epoch of a change that follows this one and nothing else.
    private func epochAfter(_ dot: Dot) throws -> Int {
        guard let chain = space.chain(dot.replica) else { preconditionFailure("A dependency must be held.") }
        if chain.sequence == dot.sequence { return chain.epoch }
        let sql = "SELECT epoch, acts FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        let epoch: Int = row[0]
        guard space.epochs.indices.contains(epoch) else { throw damaged("an epoch is missing") }
        return row[1] == CarriedActs.roster.rawValue ? try intern(space.epochs[epoch] + [dot]) : epoch
    }

    /// The epoch of a change that follows the one that was just judged.
    func epoch(after dot: Dot, _ judged: Judgement, _ acts: [ValidAct]) throws -> Int {
        judged.acts == .roster ? try intern(space.epochs[judged.epoch] + [dot]) : judged.epoch
    }

    /// Whether endorsements say something of the roster that a past does not say already: the same signature under the
    /// same act, carried again, makes no other past.
    private func isNews(_ acts: [ValidAct], to epoch: Int) -> Bool {
        let about = acts.map(\.endorsement).filter(\.act.concernsRoster)
        guard !about.isEmpty else { return false }
        var missing = Set(about)
        for carrier in space.epochs[epoch] { missing.subtract(space.endorsements[carrier] ?? []) }
        return !missing.isEmpty
    }

    /// The number of the epoch with these carriers, stored if it is new.
    func intern(_ carriers: [Dot]) throws -> Int {
        let sorted = carriers.sorted()
        let (epoch, isNew) = space.intern(sorted)
        guard isNew else { return epoch }
        var writer = CBORWriter(capacity: sorted.count * 28)
        writer.dots(sorted)
        try db.execute(
            sql: "INSERT INTO epoch VALUES (?, ?, ?)", arguments: [space.id, epoch, Data(writer.bytes)])
        return epoch
    }

    // MARK: Acts

    /// The valid endorsements that a change of this epoch carries (rule B1). Whatever is admitted or named as a new
    /// authority by any act in the log, valid or not, may vouch for a chain; what that chain may do is another matter.
    private func validActs(in change: Change, epoch: Int) throws -> [ValidAct] {
        var valid: [ValidAct] = []
        for entry in change.entries where entry.record == nil {
            for case .act(let signed) in entry.operations {
                for (member, certificate) in signed.authorities(in: space.space) {
                    try know(member, certificate)
                }
                if let endorsement = space.roster(epoch: epoch).endorsement(of: signed, in: space.space) {
                    valid.append(ValidAct(signed: signed, endorsement: endorsement))
                }
            }
        }
        return valid
    }

    /// Remembers an authority.
    private func know(_ member: MemberID, _ certificate: Certificate) throws {
        let known = space.authorities[member] ?? []
        guard !known.contains(where: { $0.publicKey == certificate.publicKey }) else { return }
        space.authorities[member] = known + [certificate]
        try db.execute(
            sql: "INSERT OR IGNORE INTO authority VALUES (?, ?, ?, ?)",
            arguments: [
                space.id, member.digest.data, certificate.publicKey.fingerprint.data, Data(certificate.der),
            ])
    }

    /// Stores the valid endorsements of a change.
    func store(_ valid: [ValidAct], of dot: Dot, chain: Chain) throws {
        for (number, act) in valid.enumerated() {
            try db.execute(
                sql: "INSERT INTO endorsement VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    chain.id, dot.sequence.stored, number, act.endorsement.signer.digest.data,
                    Data(act.signed.act),
                ])
        }
    }
}

extension SignedAct {
    /// The authorities that the act introduces, whoever signed it: of an admission the subject's, of a rotation the new
    /// one.
    func authorities(in space: SpaceID) -> [(member: MemberID, certificate: Certificate)] {
        guard let act = try? Act(encoded: self.act), act.space == space else { return [] }
        switch act {
        case .admission(let admission):
            guard let certificate = try? Certificate(der: admission.subject.certificate) else { return [] }
            return [(admission.subject.id, certificate)]
        case .rotation(let rotation):
            guard let certificate = try? Certificate(der: rotation.certificate) else { return [] }
            return [(rotation.subject, certificate)]
        default: return []
        }
    }
}
