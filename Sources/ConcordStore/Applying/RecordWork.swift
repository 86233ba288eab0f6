// A record while a batch works on it: its state, what its row says, and what must be written back.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// A record in a batch.
final class RecordWork {
    let row: Int64
    var state: RecordState { didSet { fresh = nil } }
    /// The record as its creation made it, as long as nothing else was done to it.
    private(set) var fresh: FreshRecord?
    var kind: KindDescription
    /// The party that created it.
    var owner: Int64 = 0
    var parentRow: Int64?
    /// What the row says; nil for a record that has none yet.
    var stored: Stored?
    /// The digest term that the row has; nil for a record that has none yet.
    var term: Digest?
    /// What the row is to say, once the batch has nothing more to apply.
    var next: Stored?
    /// Whether ``state`` changed in this batch.
    var isChanged = false
    /// Whether another creation decides now what it is.
    var isReborn = false
    /// Whether nothing that has effect created it any more: its row goes.
    var isRemoved = false
    /// The texts that the batch needed, as they are with what it did.
    var texts: [UTF8Text: TextWork] = [:]
    /// Whether the tables' texts do not count any more: the record is folded from nothing.
    var textsAreNew = false
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
    init(row: Int64, _ state: RecordState) throws {
        guard let kind = Vocabulary.kind(state.kind) else { throw damaged("a record is of an unknown kind") }
        self.row = row
        self.state = state
        self.kind = kind
    }

    /// A record that has no row yet, as its creation made it.
    init(row: Int64, _ fresh: FreshRecord, owner: Int64) {
        self.row = row
        self.owner = owner
        state = fresh.state
        kind = fresh.kind
        self.fresh = fresh
    }

    /// The columns that ``init(_:)`` reads.
    static let columns = "id, owner, parent, live, shown, flagged, conflicts, state, term, json, uid"

    /// A record as its row has it.
    init(_ row: StatementRow) throws {
        self.row = row.integer(0)
        owner = row.integer(1)
        parentRow = row.optionalInteger(2)
        stored = Stored(
            isLive: row.flag(3), isShown: row.flag(4), isFlagged: row.flag(5),
            conflicts: Int(row.integer(6)))
        state = try RecordState(stored: row.bytes(7), json: row.bytes(9), id: try row.record(10))
        term = try row.digest(8)
        guard let kind = Vocabulary.kind(state.kind) else { throw damaged("a record is of an unknown kind") }
        self.kind = kind
    }
}

extension Batch {
    /// The record, from this batch or from its row; nil if none is effective here.
    func work(_ record: RecordID) throws -> RecordWork? {
        if let known = works[record] { return known }
        let found = try statements.findRecord.first {
            $0.blob(record.value)
            $0.integer(space.id)
        } _: {
            try RecordWork($0)
        }
        works[record] = found
        return found
    }

    /// The records directly below this one, in the order of their making here.
    func children(of work: RecordWork) throws -> [RecordWork] {
        let created = newChildren[work.state.id] ?? []
        guard work.stored != nil else { return created }
        let sql = "SELECT uid FROM record WHERE parent = ? ORDER BY id"
        let held = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [work.row])
        let children = try held.compactMap { try self.work(try $0.record(0)) } + created
        return children.filter { !$0.isRemoved && $0.state.parent == work.state.id }
    }

    /// All records below this one, each after the one above it. A hostile author of two creations with one id can have
    /// records stand in a circle: each counts once.
    func descendants(of work: RecordWork) throws -> [RecordWork] {
        var seen: Set<RecordID> = [work.state.id]
        var all = try children(of: work).filter { seen.insert($0.state.id).inserted }
        var next = 0
        while next < all.count {
            all += try children(of: all[next]).filter { seen.insert($0.state.id).inserted }
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

    /// Whether the record and all above it are live (rule D6). What stands in a circle is not shown.
    func isShown(_ work: RecordWork) throws -> Bool {
        var current: RecordWork? = work
        var seen: Set<RecordID> = []
        while let record = current {
            guard seen.insert(record.state.id).inserted, try isLive(record) else { return false }
            current = try parent(of: record)
        }
        return true
    }
}
