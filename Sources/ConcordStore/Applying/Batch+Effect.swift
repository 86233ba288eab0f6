// The effective set E (rule C). Seeds are changes whose author was a member in standing in their past, is admitted by
// effective acts, and was not cut off before; E is the seeds and their pasts. It is causally closed, hence one number
// per chain. A new seed raises it. A restriction that arrives, or an act that became effective, has it computed anew;
// what goes out of effect is folded out of the records that it touched (Batch+Hiding.swift).

import ConcordModel
import GRDB

/// A change on its way into effect.
struct Arrival {
    let past: CausalPast
    let change: Change
    /// The records that its entries create, as far as they were made beside the writer.
    var fresh: [FreshRecord?] = []
    let role: Role?
    let epoch: Int
    let hasActs: Bool
}

extension Batch {
    /// Lets a change that was just appended take effect, and with it whatever it makes effective.
    func takeEffect(_ arrival: Arrival, place: Int, learnedSomething: Bool, restricts: Bool) throws {
        if restricts { return try recompute() }
        let chain = space.chains[place]
        let sequence = arrival.past.dot.sequence
        guard arrival.role == .member, space.roster.isAdmitted(chain.member), sequence <= space.cutOff(chain)
        else {
            return
        }
        let followsEffective = chain.effective == sequence - 1
        if followsEffective, !arrival.hasActs, !learnedSomething || isEffective(arrival.past.others) {
            space.update(place) { $0.effective = sequence }
            try apply(arrival)
            return
        }
        try grow(by: arrival.past.closedVector)
    }

    private func isEffective(_ others: VersionVector) -> Bool {
        others.elements.allSatisfy { space.isEffective(Dot($0.replica, $0.sequence)) }
    }

    /// Raises E to cover the past of a seed; acts that become effective have it computed anew.
    private func grow(by seed: VersionVector) throws {
        var ranges: [EffectRange] = []
        for element in seed.elements {
            guard let place = space.place(element.replica) else {
                preconditionFailure("A causal past is held as a whole.")
            }
            let chain = space.chains[place]
            guard chain.effective < element.sequence else { continue }
            ranges.append(EffectRange(place: place, after: chain.effective, upTo: element.sequence))
            space.update(place) { $0.effective = element.sequence }
            touchedChains.insert(place)
        }
        for arrival in try arrivals(in: ranges) { try apply(arrival) }
        let hasActs = space.endorsements.contains { dot, acts in
            ranges.contains { $0.covers(dot, in: space) } && acts.contains(where: \.act.concernsRoster)
        }
        if hasActs, space.roster(isEffective: space.isEffective) != space.roster { try recompute() }
    }

    // MARK: From nothing

    /// E, the roster and the cut-offs as they follow from everything that is held.
    func leastFixedPoint() throws -> (effective: VersionVector, roster: Roster, cutOffs: CutOffs) {
        var roster = space.roster { _ in false }
        while true {
            let cutOffs = CutOffs(roster: roster, restrictions: space.restrictions)
            space.cutOffs = cutOffs
            var effective = VersionVector()
            for place in space.order {
                guard let seed = try lastSeed(place, roster) else { continue }
                effective.merge(CausalPast(of: seed, others: try known(at: seed)).closedVector)
            }
            let next = space.roster { effective.contains($0) }
            if next == roster { return (effective, roster, cutOffs) }
            roster = next
        }
    }

    /// The last seed of a chain: it dominates the earlier ones.
    private func lastSeed(_ place: Int, _ roster: Roster) throws -> Dot? {
        let chain = space.chains[place]
        guard roster.isAdmitted(chain.member), !chain.isEmpty else { return nil }
        let bound = min(chain.sequence, space.cutOff(chain))
        guard bound >= chain.start else { return nil }
        let sequence = try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT sequence FROM log WHERE chain = ? AND sequence <= ? AND role = 0
                    ORDER BY sequence DESC LIMIT 1
                    """), arguments: [chain.id, bound.stored])
        return sequence.map { Dot(chain.name, UInt64($0)) }
    }

    /// Computes E anew; hides what is not in it any more and lets the rest take effect.
    func recompute() throws {
        try flush()
        let (effective, roster, cutOffs) = try leastFixedPoint()
        space.cutOffs = cutOffs
        if roster != space.roster {
            space.roster = roster
            try StandingTable.write(roster, space: space, db)
        }
        var gone: [EffectRange] = []
        var come: [EffectRange] = []
        for place in space.order {
            let chain = space.chains[place]
            let now = effective[chain.name]
            guard now != chain.effective else { continue }
            if now < chain.effective {
                gone.append(EffectRange(place: place, after: now, upTo: chain.effective))
            } else {
                come.append(EffectRange(place: place, after: chain.effective, upTo: now))
            }
            space.update(place) { $0.effective = now }
            touchedChains.insert(place)
        }
        if !gone.isEmpty { try hide(gone) }
        // In the order of the log: nothing that was effective before builds upon what comes into effect only now.
        for arrival in try arrivals(in: come) { try apply(arrival) }
    }

    /// The changes in these ranges, in the order of the log.
    private func arrivals(in ranges: [EffectRange]) throws -> [Arrival] {
        var found: [(position: Int64, arrival: Arrival)] = []
        for range in ranges {
            let chain = space.chains[range.place]
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT \(Arrival.columns) FROM log WHERE chain = ? AND sequence > ? AND sequence <= ?
                    """, arguments: [chain.id, range.after.stored, range.upTo.stored])
            while let row = try rows.next() { found.append((row[0], try arrival(row, chain))) }
        }
        return found.sorted { $0.position < $1.position }.map(\.arrival)
    }

    /// The change of a row with ``Arrival/columns``.
    func arrival(_ row: Row, _ chain: Chain) throws -> Arrival {
        let dot = Dot(chain.name, row.unsigned(1))
        let role: Int64? = row[2]
        return Arrival(
            past: CausalPast(of: dot, others: try known(at: dot)), change: try Change(encoded: row.bytes(5)),
            role: role.flatMap { Role(rawValue: UInt64($0)) }, epoch: row[3], hasActs: row[4])
    }
}

extension Arrival {
    /// The columns of `log` that ``Batch/arrival(_:_:)`` reads.
    static let columns = "log.position, log.sequence, log.role, log.epoch, log.acts, log.bytes"
}

/// Changes of one chain that come into effect, or go out of it.
struct EffectRange {
    let place: Int
    let after: UInt64
    let upTo: UInt64

    func covers(_ dot: Dot, in space: SpaceMemory) -> Bool {
        space.chains[place].name == dot.replica && dot.sequence > after && dot.sequence <= upTo
    }
}
