// Which operations of an effective change are allowed (rule B4), and their effect on records. The judgement
// is static: everything in the past of an effective change was applied before it, so what is found here is
// what every node finds. What is refused is listed.

import ConcordModel
import GRDB

extension Batch {
    /// Why an entry of an effective change has no effect.
    enum Refusal: String {
        /// The record, or the one above it, was not created in the change's past.
        case unknownRecord = "record"
        /// The record belongs to another member.
        case notTheOwner = "owner"
        /// The kind is not known to this vocabulary.
        case unknownKind = "kind"
        /// The author was no member in standing by the change's past.
        case notInStanding = "standing"
        /// An edit reaches beyond the text as its author had it, or makes it too long: it alone has no effect.
        case beyondTheText = "text"
    }

    /// Applies the operations of a change that became effective.
    func apply(_ arrival: Arrival) throws {
        let dot = arrival.past.dot
        guard let author = space.chain(dot.replica) else { preconditionFailure("A chain must be known.") }
        for (index, entry) in arrival.change.entries.enumerated() {
            guard let record = entry.record else { continue }
            guard arrival.role == .member else {
                try refuse(dot, index, record, author, .notInStanding)
                continue
            }
            if let refusal = try apply(entry, index, of: record, arrival, author) {
                try refuse(dot, index, record, author, refusal)
            }
        }
    }

    private func apply(
        _ entry: Entry, _ index: Int, of record: RecordID, _ arrival: Arrival, _ author: Chain
    ) throws -> Refusal? {
        if entry.erasesOnly {
            try noteErasure(of: record, arrival, author)
            return nil
        }
        var rest = entry.operations[...]
        var work = try work(record)
        if work?.isRemoved == true, !entry.creates { work = nil }
        if case .create(let kind, let parent) = rest.first {
            guard Vocabulary.kind(kind) != nil else { return .unknownKind }
            if let parent {
                guard let above = try self.work(parent), !above.isRemoved, hasBirth(above, in: arrival.past)
                else {
                    return .unknownRecord
                }
            }
            let birth = RecordState.Birth(
                dot: arrival.past.dot, kind: kind, parent: parent, timestamp: arrival.change.timestamp)
            if work == nil, index < arrival.fresh.count, let fresh = arrival.fresh[index] {
                work = try create(record, fresh, author)
                rest = []
            } else {
                work = try create(record, birth, author, held: work)
                rest = rest.dropFirst()
            }
        } else if let refusal = judge(work, arrival, author) {
            return refusal
        }
        guard let work else { return .unknownRecord }
        for operation in rest { try apply(operation, arrival, index, to: work) }
        note(work, touchedBy: author.id, arrival.past.dot.sequence)
        return nil
    }

    /// Lists an erasure with what was done to the record, whoever may write that. What it orders is carried out where the
    /// change is appended.
    private func noteErasure(of record: RecordID, _ arrival: Arrival, _ author: Chain) throws {
        guard let work = try work(record), !work.isRemoved, hasBirth(work, in: arrival.past) else { return }
        note(work, touchedBy: author.id, arrival.past.dot.sequence)
    }

    /// Applies an operation that is allowed.
    ///
    /// - Parameter index: the place of its entry in the change.
    func apply(_ operation: Operation, _ arrival: Arrival, _ index: Int, to work: RecordWork) throws {
        let named = operation.named(in: space)
        work.state.apply(named, past: arrival.past, timestamp: arrival.change.timestamp)
        if let edit = EditOperation(named) { try self.edit(edit, arrival.past, entry: index, of: work) }
    }

    private func hasBirth(_ work: RecordWork, in past: CausalPast) -> Bool {
        work.state.births.contains { past.contains($0.dot) || past.dot == $0.dot }
    }

    /// Whether a record may be written by this author in a change with this past.
    private func judge(_ work: RecordWork?, _ arrival: Arrival, _ author: Chain) -> Refusal? {
        let past = arrival.past
        let births = work?.state.births.filter { past.contains($0.dot) || past.dot == $0.dot } ?? []
        guard !births.isEmpty else { return .unknownRecord }
        let roster = space.roster(epoch: arrival.epoch)
        let isAllowed = births.contains { birth in
            guard let kind = Vocabulary.kind(birth.kind) else { return false }
            guard kind.isOwned, let owner = space.chain(birth.dot.replica)?.member else { return true }
            return roster.owns(author.member, recordsOf: owner)
        }
        return isAllowed ? nil : .notTheOwner
    }

    /// A record that nobody has touched yet.
    private func create(_ record: RecordID, _ fresh: FreshRecord, _ author: Chain) throws -> RecordWork {
        let work = RecordWork(row: try memory.takeRecord(db), fresh, owner: author.party)
        if let parent = fresh.state.parent {
            work.parentRow = try self.work(parent)?.row
            newChildren[parent, default: []].append(work)
        }
        works[record] = work
        return work
    }

    /// The record with a creation more; of a record that is held already the lowest creation decides.
    private func create(
        _ record: RecordID, _ birth: RecordState.Birth, _ author: Chain, held: RecordWork?
    ) throws -> RecordWork {
        let former = held?.state.parent
        if let held, held.isRemoved {
            held.state = RecordState(id: record, birth)
            held.isRemoved = false
            try bear(held)
            try moved(held, from: former)
            return held
        }
        if let held {
            held.state.add(birth)
            if held.state.created == birth.dot {
                try bear(held)
                held.isReborn = true
                try moved(held, from: former)
            }
            return held
        }
        let work = try RecordWork(row: try memory.takeRecord(db), RecordState(id: record, birth))
        try bear(work)
        works[record] = work
        if let parent = birth.parent { newChildren[parent, default: []].append(work) }
        return work
    }

    /// A record may stand elsewhere, since another creation decides: it counts below its new parent at once, and the
    /// former one is judged anew.
    func moved(_ work: RecordWork, from former: RecordID?) throws {
        guard work.state.parent != former else { return }
        if let parent = work.state.parent { newChildren[parent, default: []].append(work) }
        guard let former, let above = try self.work(former), !above.isRemoved, !above.isChanged else {
            return
        }
        above.isChanged = true
        changed.append(above)
    }

    /// Sets what follows from the creation that decides.
    func bear(_ work: RecordWork) throws {
        guard let kind = Vocabulary.kind(work.state.kind),
            let author = space.chain(work.state.created.replica)
        else { throw damaged("a record is of an unknown kind") }
        work.kind = kind
        work.owner = author.party
        work.parentRow = try work.state.parent.flatMap { try self.work($0)?.row }
    }

    /// Lists an entry as refused, or of an entry the edit.
    func refuse(
        _ dot: Dot, _ index: Int, _ record: RecordID, _ author: Chain, _ refusal: Refusal
    ) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)").execute(
            arguments: [author.id, dot.sequence.stored, index, record.data, refusal.rawValue])
    }

    private func note(_ work: RecordWork, touchedBy chain: Int64, _ sequence: UInt64) {
        work.touches.append((chain, sequence))
        markChanged(work)
    }

    /// Has the record written.
    func markChanged(_ work: RecordWork) {
        guard !work.isChanged else { return }
        work.isChanged = true
        changed.append(work)
    }
}

extension Entry {
    /// Whether the entry does nothing but order erasure.
    var erasesOnly: Bool { operations.allSatisfy { if case .erase = $0 { true } else { false } } }
}
