// Takes changes out of effect: the records that they touched are folded again from the log, out of what is still
// effective. Values that the hidden changes had overwritten come back; a record whose creation is hidden goes.

import ConcordModel
import GRDB

extension Batch {
    /// Folds the records again that these changes touched. Nothing of the batch may be waiting to be written.
    func hide(_ ranges: [EffectRange]) throws {
        var affected: Set<Int64> = []
        for range in ranges {
            let arguments: StatementArguments = [
                space.chains[range.place].id, range.after.stored, range.upTo.stored,
            ]
            let condition = "chain = ? AND sequence > ? AND sequence <= ?"
            let sql = "SELECT DISTINCT record FROM touch WHERE \(condition)"
            affected.formUnion(try Int64.fetchAll(db, sql: sql, arguments: arguments))
            for table in ["touch", "refused"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE \(condition)", arguments: arguments)
            }
        }
        for row in affected.sorted() { try refold(row) }
    }

    /// Folds one record from what `touch` names.
    func refold(_ row: Int64) throws {
        let sql = "SELECT \(RecordWork.columns) FROM record WHERE id = ?"
        let stored = try db.cachedStatement(sql: sql).first {
            $0.integer(row)
        } _: {
            try RecordWork($0)
        }
        guard let work = stored else { throw damaged("a record is missing that was touched") }
        works[work.state.id] = work
        work.isChanged = true
        changed.append(work)
        let (record, former) = (work.state.id, work.state.parent)
        (work.isRemoved, work.isReborn, work.textsAreNew) = (true, true, true)
        for (arrival, entry) in try touches(of: row, record) { try fold(entry, arrival, into: work) }
        if !work.isRemoved { try moved(work, from: former) }
    }

    /// Applies an entry that is allowed to a record that is made from nothing.
    private func fold(_ index: Int, _ arrival: Arrival, into work: RecordWork) throws {
        var rest = arrival.change.entries[index].operations[...]
        if case .create(let kind, let parent) = rest.first {
            let birth = RecordState.Birth(
                dot: arrival.past.dot, kind: kind, parent: parent, timestamp: arrival.change.timestamp)
            if work.isRemoved {
                work.state = RecordState(id: work.state.id, birth)
                work.isRemoved = false
                try bear(work)
            } else {
                work.state.add(birth)
                if work.state.created == birth.dot { try bear(work) }
            }
            rest = rest.dropFirst()
        }
        guard !work.isRemoved else { throw damaged("a record was touched before it was created") }
        for operation in rest { try apply(operation, arrival, index, to: work) }
    }
}
