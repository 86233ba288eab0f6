// Causal pasts and epochs. What a chain knows of the others is kept at its head in memory, and in `knowledge`
// one row for each step of growth: a change without dependencies inherits everything and costs nothing.

import CBOR
import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

extension Batch {
    /// What a change of chain `place` knows of the other replicas, and whether that is more than its
    /// predecessor did.
    func learn(
        _ dependencies: [Dot], place: Int, sequence: UInt64
    ) throws -> (others: VersionVector, grew: Bool) {
        let before = try knownAtHead(place)
        guard !dependencies.isEmpty else { return (before, false) }
        let chain = space.chains[place]
        var others = before
        for dot in dependencies where !others.contains(dot) {
            others.raise(dot.replica, to: dot.sequence)
            others.merge(try known(at: dot))
        }
        others[chain.replica] = 0
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

    /// What the last change of a chain knew of the other replicas.
    func knownAtHead(_ place: Int) throws -> VersionVector {
        if let known = space.chains[place].known { return known }
        let loaded = try stored(place, upTo: space.chains[place].sequence)
        space.update(place) { $0.known = loaded }
        return loaded
    }

    /// What a change that is held knew of the other replicas.
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
            if let highest { known.append(Dot(other.replica, UInt64(highest))) }
        }
        return VersionVector(known)
    }

    /// The epoch of a change with these dependencies: the carriers of acts in its past, interned.
    func epoch(of dependencies: [Dot], following chain: Chain) throws -> Int {
        var epoch = chain.epoch
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
        return row[1] ? try intern(space.epochs[epoch] + [dot]) : epoch
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

    /// The valid endorsements that a change of this epoch carries (rule B1). Whatever is admitted by any act
    /// in the log, valid or not, becomes an authority that may vouch for a chain; what that chain may do is
    /// another matter.
    func endorsements(in change: Change, epoch: Int) throws -> [(act: SignedAct, valid: Endorsement)] {
        var valid: [(act: SignedAct, valid: Endorsement)] = []
        for entry in change.entries where entry.record == nil {
            for case .act(let signed) in entry.operations {
                if let act = try? Act(encoded: signed.act), case .admission(let admission) = act,
                    act.space == space.space
                {
                    try know(admission.subject)
                }
                if let endorsement = space.roster(epoch: epoch).endorsement(of: signed, in: space.space) {
                    valid.append((signed, endorsement))
                }
            }
        }
        return valid
    }

    /// Remembers an authority.
    private func know(_ statement: MemberStatement) throws {
        guard space.authorities[statement.id] == nil else { return }
        space.authorities[statement.id] = try Certificate(der: statement.certificate)
        try db.execute(
            sql: "INSERT OR IGNORE INTO authority VALUES (?, ?, ?)",
            arguments: [space.id, statement.id.digest.data, Data(statement.certificate)])
    }

    /// Stores the valid endorsements of a change.
    func store(_ valid: [(act: SignedAct, valid: Endorsement)], of new: VerifiedChange, chain: Chain) throws {
        for (number, endorsement) in valid.enumerated() {
            try db.execute(
                sql: "INSERT INTO endorsement VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    chain.id, new.dot.sequence.stored, number, endorsement.valid.signer.digest.data,
                    Data(endorsement.act.act),
                ])
        }
        space.endorsements[new.dot] = valid.map(\.valid)
    }
}
