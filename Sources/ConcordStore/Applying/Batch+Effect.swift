// The effective set E (rule C). Seeds are changes whose author was a member in standing in their past and is
// admitted by effective acts; E is the seeds and their pasts. It is causally closed, hence one number per
// chain. This level knows no cut-offs, so E only grows: by a new seed, and, when an act becomes effective, by
// the seeds that it makes.

import ConcordModel
import GRDB

/// A change on its way into effect.
struct Arrival {
    let past: CausalPast
    let change: Change
    let role: Role?
    let hasActs: Bool
}

extension Batch {
    /// Lets a change that was just appended take effect, and with it whatever it makes effective.
    func takeEffect(_ arrival: Arrival, place: Int, learnedSomething: Bool) throws {
        let chain = space.chains[place]
        guard arrival.role == .member, space.roster.role(chain.member) == .member else { return }
        let sequence = arrival.past.dot.sequence
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

    /// Raises E to cover the past of a seed; acts that become effective may make more seeds.
    private func grow(by seed: VersionVector) throws {
        var seeds = [seed]
        var ranges: [(place: Int, after: UInt64, upTo: UInt64)] = []
        while let seed = seeds.popLast() {
            var hasActs = false
            for element in seed.elements {
                guard let place = space.place(element.replica) else {
                    preconditionFailure("A causal past is held as a whole.")
                }
                let chain = space.chains[place]
                guard chain.effective < element.sequence else { continue }
                ranges.append((place, chain.effective, element.sequence))
                let new = (chain.effective + 1)...element.sequence
                hasActs =
                    hasActs
                    || space.endorsements.keys.contains {
                        $0.replica == chain.replica && new.contains($0.sequence)
                    }
                space.update(place) { $0.effective = element.sequence }
                touchedChains.insert(place)
            }
            if hasActs, try refreshRoster() { seeds += try hiddenSeeds() }
        }
        for arrival in try arrivals(in: ranges) { try apply(arrival) }
    }

    /// Computes the roster of E anew; true if it changed.
    private func refreshRoster() throws -> Bool {
        let roster = space.effectiveRoster()
        guard roster != space.roster else { return false }
        space.roster = roster
        try StandingTable.write(roster, space: space, db)
        return true
    }

    /// The last seed of every chain that ends in changes without effect: it dominates the chain's earlier
    /// ones.
    private func hiddenSeeds() throws -> [VersionVector] {
        var seeds: [VersionVector] = []
        for place in space.order {
            let chain = space.chains[place]
            guard chain.effective < chain.sequence, space.roster.role(chain.member) == .member else {
                continue
            }
            let sequence = try Int64.fetchOne(
                db, sql: "SELECT MAX(sequence) FROM log WHERE chain = ? AND sequence > ? AND role = 0",
                arguments: [chain.id, chain.effective.stored])
            guard let sequence else { continue }
            let dot = Dot(chain.replica, UInt64(sequence))
            seeds.append(CausalPast(of: dot, others: try known(at: dot)).closedVector)
        }
        return seeds
    }

    /// The changes in these ranges, in the order of the log.
    private func arrivals(in ranges: [(place: Int, after: UInt64, upTo: UInt64)]) throws -> [Arrival] {
        var found: [(position: Int64, arrival: Arrival)] = []
        for range in ranges {
            let chain = space.chains[range.place]
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT position, sequence, role, acts, bytes FROM log
                    WHERE chain = ? AND sequence > ? AND sequence <= ?
                    """, arguments: [chain.id, range.after.stored, range.upTo.stored])
            while let row = try rows.next() {
                let dot = Dot(chain.replica, row.unsigned(1))
                let role: Int64? = row[2]
                let arrival = Arrival(
                    past: CausalPast(of: dot, others: try known(at: dot)),
                    change: try Change(encoded: row.bytes(4)),
                    role: role.flatMap { Role(rawValue: UInt64($0)) }, hasActs: row[3])
                found.append((row[0], arrival))
            }
        }
        return found.sorted { $0.position < $1.position }.map(\.arrival)
    }
}
