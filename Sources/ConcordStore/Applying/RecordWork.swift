// A record while a batch works on it: its state, what its row says, and what must be written back.

import ConcordModel
import Foundation
import GRDB

/// A record in a batch.
final class RecordWork {
    let row: Int64
    var state: RecordState
    let kind: KindDescription
    /// The party that created it.
    let owner: Int64
    let parentRow: Int64?
    /// What the row says; nil for a record that has none yet.
    var stored: Stored?
    /// What the row is to say, once the batch has nothing more to apply.
    var next: Stored?
    /// Whether ``state`` changed in this batch.
    var isChanged = false
    /// The changes of this batch that had effect on it.
    var touches: [(chain: Int64, sequence: UInt64)] = []

    /// The columns that depend on more than the state.
    struct Stored: Equatable {
        var isLive: Bool
        var isShown: Bool
        var isFlagged: Bool
        var conflicts: Int
    }

    /// A record that has no row yet.
    init(row: Int64, state: RecordState, kind: KindDescription, owner: Int64, parentRow: Int64?) {
        self.row = row
        self.state = state
        self.kind = kind
        self.owner = owner
        self.parentRow = parentRow
    }

    /// The columns that ``init(_:)`` reads.
    static let columns = "id, owner, parent, live, shown, flagged, conflicts, state"

    /// A record as its row has it.
    init(_ row: Row) throws {
        self.row = row[0]
        owner = row[1]
        parentRow = row[2]
        stored = Stored(isLive: row[3], isShown: row[4], isFlagged: row[5], conflicts: row[6])
        state = try RecordState(encoded: row.bytes(7))
        guard let kind = Vocabulary.kind(state.kind) else { throw damaged("a record is of an unknown kind") }
        self.kind = kind
    }
}

extension Batch {
    /// The record, from this batch or from its row; nil if none is effective here.
    func work(_ record: RecordID) throws -> RecordWork? {
        if let known = works[record] { return known }
        let sql = "SELECT \(RecordWork.columns) FROM record WHERE uid = ? AND space = ?"
        let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [record.data, space.id])
        guard let row else { return nil }
        let work = try RecordWork(row)
        works[record] = work
        return work
    }

    /// The records directly below this one, in the order of their making here.
    func children(of work: RecordWork) throws -> [RecordWork] {
        let created = newChildren[work.state.id] ?? []
        guard work.stored != nil else { return created }
        let sql = "SELECT uid FROM record WHERE parent = ? ORDER BY id"
        let held = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [work.row])
        return try held.compactMap { try self.work(try $0.record(0)) } + created
    }

    /// All records below this one, each after the one above it.
    func descendants(of work: RecordWork) throws -> [RecordWork] {
        var all = try children(of: work)
        var next = 0
        while next < all.count {
            all += try children(of: all[next])
            next += 1
        }
        return all
    }

    /// The record above this one.
    func parent(of work: RecordWork) throws -> RecordWork? {
        guard let id = work.state.parent else { return nil }
        guard let parent = try self.work(id) else { throw damaged("a record is missing above another") }
        return parent
    }

    /// The touches of all records below this one (rule D3).
    func touchedBelow(_ work: RecordWork) throws -> VersionVector {
        var touched = VersionVector()
        for below in try descendants(of: work) { touched.merge(below.state.touched) }
        return touched
    }

    /// Whether something in the record's subtree is covered by no delete (rule D3).
    func isLive(_ work: RecordWork) throws -> Bool {
        if work.state.covered.isEmpty || work.state.isLive() { return true }
        if let next = work.next { return next.isLive }
        return work.state.isLive(touchedBelow: try touchedBelow(work))
    }

    /// Whether the record and all above it are live (rule D6).
    func isShown(_ work: RecordWork) throws -> Bool {
        var current: RecordWork? = work
        while let record = current {
            guard try isLive(record) else { return false }
            current = try parent(of: record)
        }
        return true
    }
}
