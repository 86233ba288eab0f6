// Erasure (Protocol/changes.md, "Erasure"). What is ordered to go is taken out of the log, where the erased form of the
// change stays with the hash that it had, and out of the records, which are folded again. Orders count wherever they
// are held: an operation orders what lies in its own past, an act what bears the dots that it names, now and later.
//
// A change may arrive in its erased form before what orders that: it is provisional. Then its chain counts as held
// only up to there, so that whoever has the values sends them, and no digest is given.

import ConcordModel
import Foundation
import GRDB

/// The values of one entry, to go for good. The dot is by the name of the chain.
struct ErasureOrder: Hashable, Comparable {
    let dot: Dot
    let record: RecordID

    static func < (a: Self, b: Self) -> Bool { (a.dot, a.record) < (b.dot, b.record) }
}

extension Batch {
    // MARK: What arrives

    /// The change as it is stored: without what acts that are held order to go.
    func storable(_ new: VerifiedChange, place: Int) -> VerifiedChange {
        guard !space.erasures.all.isEmpty else { return new }
        let records = space.erasures.records(in: new.dot, of: space.chains[place].member)
        let entries = new.change.erasableEntries(on: records)
        guard !entries.isEmpty else { return new }
        return new.replacing(new.change.erasing(entries: entries))
    }

    /// Remembers which values of a change that was just appended are missing.
    func noteErased(_ change: Change, place: Int, sequence: UInt64) throws {
        guard change.isErased else { return }
        let chain = space.chains[place]
        let dot = Dot(chain.replica, sequence)
        let ordered = Set(space.erasures.records(in: dot, of: chain.member))
        let insert = try db.cachedStatement(sql: "INSERT OR REPLACE INTO erased VALUES (?, ?, ?, ?)")
        for (index, entry) in change.entries.enumerated() where entry.isErased {
            let isOrdered = entry.record.map(ordered.contains) ?? false
            try insert.execute(arguments: [chain.id, sequence.stored, index, isOrdered])
            if !isOrdered {
                space.provisional[chain.name] = min(space.provisional[chain.name] ?? .max, sequence)
            }
        }
    }

    // MARK: Orders

    /// Carries out what a change that was just appended orders.
    ///
    /// - Parameter known: what acts ordered before it.
    func carryOutErasures(_ change: Change, _ judged: Judgement, since known: ErasureOrders) throws {
        var orders = try ordersOfOperations(change, judged)
        if space.erasures != known { orders += ordersOfActs(beyond: known) }
        try carryOut(Set(orders).sorted())
    }

    /// An operation orders what a change in its past wrote to its record, if that is by the author's own member, or by
    /// one whose records it took over. Its author must be a member in standing by that past, and no more.
    private func ordersOfOperations(_ change: Change, _ judged: Judgement) throws -> [ErasureOrder] {
        guard judged.role == .member else { return [] }
        var orders: [ErasureOrder] = []
        for entry in change.entries {
            guard let record = entry.record else { continue }
            for case .erase(let named, _) in entry.operations {
                orders += named.flatMap(space.names(of:))
                    .filter { mayErase($0, judged) }.map { ErasureOrder(dot: $0, record: record) }
            }
        }
        return orders
    }

    private func mayErase(_ dot: Dot, _ judged: Judgement) -> Bool {
        guard judged.past.contains(dot), let author = space.chain(judged.past.dot.replica)?.member,
            let member = space.chain(dot.replica)?.member
        else { return false }
        return space.roster(epoch: judged.epoch).owns(author, recordsOf: member)
    }

    private func ordersOfActs(beyond known: ErasureOrders) -> [ErasureOrder] {
        Set(space.erasures.all).subtracting(known.all).flatMap { order in
            space.names(of: order.dot)
                .filter { space.holds($0) && space.chain($0.replica)?.member == order.member }
                .map { ErasureOrder(dot: $0, record: order.record) }
        }
    }

    // MARK: Carrying out

    private func carryOut(_ orders: [ErasureOrder]) throws {
        var records: Set<RecordID> = []
        for order in orders where try erase(order) { records.insert(order.record) }
        erasedRecords.formUnion(records)
        guard !records.isEmpty else { return }
        try db.execute(
            sql: "INSERT OR REPLACE INTO meta VALUES (?, 1)", arguments: [ErasureRemains.key])
        memory.hasRemains = true
    }

    /// Takes the values of one entry out of the log; false if they were gone already, or never there.
    private func erase(_ order: ErasureOrder) throws -> Bool {
        guard let chain = space.chain(order.dot.replica), let (position, change) = try held(order.dot, chain),
            let index = change.entries.firstIndex(where: { $0.record == order.record })
        else { return false }
        let wasErased = change.isErased(index)
        guard wasErased || change.entries[index].isErasable else { return false }
        try db.execute(
            sql: "INSERT OR REPLACE INTO erased VALUES (?, ?, ?, 1)",
            arguments: [chain.id, order.dot.sequence.stored, index])
        guard !wasErased else {
            try reviewProvisional(chain)
            return false
        }
        try replace(change.erasing(entries: [index]), at: position)
        return true
    }

    /// A change that is held, and its place in the log.
    private func held(_ dot: Dot, _ chain: Chain) throws -> (position: Int64, change: Change)? {
        let sql = "SELECT position, bytes FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])
        return try row.map { ($0[0], try Change(encoded: $0.bytes(1))) }
    }

    private func replace(_ change: Change, at position: Int64) throws {
        try db.cachedStatement(sql: "UPDATE log SET bytes = ? WHERE position = ?")
            .execute(arguments: [Data(change.encoded()), position])
    }

    /// Finds anew where the first provisional change of a chain is.
    private func reviewProvisional(_ chain: Chain) throws {
        guard space.provisional[chain.name] != nil else { return }
        let sql = "SELECT MIN(sequence) FROM erased WHERE chain = ? AND NOT ordered"
        space.provisional[chain.name] = try Int64.fetchOne(db, sql: sql, arguments: [chain.id]).map {
            UInt64($0)
        }
    }

    /// Folds the records again from the log of which values were erased, or came back, and takes them out of the search
    /// index until they are indexed anew. Once for all orders of a batch: a record may be long. Everything else must be
    /// written.
    func refoldErased() throws {
        let records = erasedRecords
        erasedRecords = []
        for record in records.sorted() {
            let sql = "SELECT id FROM record WHERE uid = ? AND space = ?"
            guard let row = try Int64.fetchOne(db, sql: sql, arguments: [record.data, space.id]) else {
                continue
            }
            try db.execute(sql: "DELETE FROM search WHERE rowid = ?", arguments: [row])
            try refold(row)
        }
    }

    // MARK: What comes back

    /// Takes values back that were missing without an order. The other form has the hash of the one that is held.
    func restore(_ dot: Dot, from bytes: [UInt8]) throws {
        guard let chain = space.chain(dot.replica), let (position, held) = try held(dot, chain) else {
            return
        }
        let change = try Change(encoded: bytes)
        let sql = "SELECT entry FROM erased WHERE chain = ? AND sequence = ? AND ordered"
        let ordered = Set(try Int.fetchAll(db, sql: sql, arguments: [chain.id, dot.sequence.stored]))
        guard let fuller = held.completed(by: change, without: ordered),
            try fitsIntoItsRun(fuller, insteadOf: held, at: position, dot.sequence, chain)
        else { return }
        try replace(fuller, at: position)
        var records: Set<RecordID> = []
        for (index, entry) in fuller.entries.enumerated() where held.isErased(index) && !entry.isErased {
            try db.execute(
                sql: "DELETE FROM erased WHERE chain = ? AND sequence = ? AND entry = ?",
                arguments: [chain.id, dot.sequence.stored, index])
            if let record = entry.record { records.insert(record) }
        }
        try reviewProvisional(chain)
        erasedRecords.formUnion(records)
    }
}

extension Batch {
    /// Whether what one signature covers can still be sent as one run when values come back. Who signed a run that is too
    /// long with them has seen to it that they stay away.
    private func fitsIntoItsRun(
        _ fuller: Change, insteadOf held: Change, at position: Int64, _ sequence: UInt64, _ chain: Chain
    ) throws -> Bool {
        let sql = """
            SELECT TOTAL(LENGTH(bytes)) FROM log WHERE chain = ?1
            AND sequence > (SELECT COALESCE(MAX(sequence), 0) FROM log
                WHERE chain = ?1 AND sequence < ?2 AND signature IS NOT NULL)
            AND sequence <= (SELECT COALESCE(MIN(sequence), ?2) FROM log
                WHERE chain = ?1 AND sequence >= ?2 AND signature IS NOT NULL)
            """
        let bytes = try Double.fetchOne(db, sql: sql, arguments: [chain.id, sequence.stored]) ?? 0
        return Int(bytes) + fuller.encoded().count - held.encoded().count <= Limits.runBytes
    }
}

extension Change {
    /// Another form of the same change if it has values that this one lacks, and lacks none that this one has; without
    /// those of the entries that are ordered to go. Nil if nothing is gained.
    func completed(by other: Change, without ordered: Set<Int>) -> Change? {
        let mine = Set(entries.indices.filter(isErased))
        let others = Set(other.entries.indices.filter(other.isErased))
        guard others.isSubset(of: mine), !mine.subtracting(others).subtracting(ordered).isEmpty else {
            return nil
        }
        return other.erasing(entries: ordered)
    }
}

extension VerifiedChange {
    /// The same change in another form.
    fileprivate func replacing(_ change: Change) -> VerifiedChange {
        VerifiedChange(
            dot: dot, chain: chain, change: change, dependencies: dependencies, bytes: change.encoded(),
            hash: hash,
            signature: signature, owner: owner)
    }
}
