// Turns a draft into the entries of a change: checks everything that a person can get wrong, then names the
// dots that are overwritten as they stand at the start of the change. Nothing has effect before the whole
// draft was checked.

import ConcordCrypto
import ConcordModel

/// Builds the entries of one change.
struct DraftBuilder {
    let batch: Batch
    /// The member that writes.
    let member: MemberID
    /// The name of the change to be.
    let dot: Dot
    /// Its timestamp.
    let timestamp: Int64
    var drafts: [EntryDraft] = []
    private var placeOfRecord: [RecordID: Int] = [:]
    private var placeOfEdit: [Int: Int] = [:]
    private var acts: [SignedAct] = []
    private var erasures: [Entry] = []
    /// What the draft writes to texts.
    var texts: [TextDraft] = []

    init(batch: Batch, member: MemberID, dot: Dot, timestamp: Int64) {
        self.batch = batch
        self.member = member
        self.dot = dot
        self.timestamp = timestamp
    }

    /// The records that the change creates, in order.
    var created: [RecordID] { drafts.filter { $0.creation != nil }.map(\.record) }

    /// Checks a draft and gives the entries of its change.
    mutating func entries(of draft: Draft) throws -> [Entry] {
        for (index, edit) in draft.enumerated() { try take(edit, index: index) }
        try checkDeletes()
        let space = batch.space
        var entries = (drafts.map(\.entry) + erasures).map { entry in
            Entry(record: entry.record, operations: entry.operations.map { $0.real(in: space) })
        }
        if !acts.isEmpty { entries.append(Entry(record: nil, operations: acts.map(Operation.act))) }
        addTexts(to: &entries)
        guard !entries.isEmpty else { throw ConcordError(.usage, "there is nothing to write") }
        return entries
    }

    private mutating func take(_ edit: RecordEdit, index: Int) throws {
        switch edit {
        case .create(let kind, let parent, let fields):
            placeOfEdit[index] = drafts.count
            try create(kind, parent, fields)
        case .update(let record, let fields, let base):
            guard !fields.isEmpty else { throw ConcordError(.usage, "no field is given") }
            let place = try open(record)
            let work = drafts[place].work
            if let base, let work { try check(work, base: base) }
            for field in fields { try write(field, place) }
        case .write(let record, let field, let text, let base):
            try write(text, to: field, base: base, place: try open(record))
        case .resolve(let record, let field, let resolution):
            try resolve(field, resolution, place: try open(record))
        case .delete(let record):
            drafts[try open(record)].deletes = true
        case .restore(let record):
            try restore(record)
        case .erase(let record, let reason):
            let isTaken = placeOfRecord[record] != nil || erasures.contains { $0.record == record }
            guard !isTaken else {
                throw ConcordError(.usage, "one change cannot both erase and write record \(record)")
            }
            let draft = ErasureDraft(batch: batch, member: member)
            try batch.flush()
            erasures.append(
                Entry(record: record, operations: try draft.operations(on: record, reason: reason)))
        case .act(let signed):
            guard signed.act.count <= Limits.actBytes else {
                throw ConcordError(.limitExceeded, "an act has at most \(Limits.actBytes) bytes")
            }
            guard try Act(encoded: signed.act).space == batch.space.space else {
                throw ConcordError(.malformedAct, "the act is made for another space")
            }
            acts.append(signed)
        }
    }

    // MARK: Records

    private mutating func create(_ kind: UTF8Text, _ parent: ParentReference?, _ fields: [FieldEdit]) throws {
        guard let description = Vocabulary.kind(kind) else {
            let known = Vocabulary.kinds.map(\.name.string).joined(separator: ", ")
            throw ConcordError(.unknownKind, "there is no kind \(kind); the kinds are \(known)")
        }
        let above = try checkedParent(parent, of: description)
        let record = RecordID(
            space: batch.space.space, kind: kind, dot: dot, index: drafts.count, timestamp: timestamp)
        placeOfRecord[record] = drafts.count
        drafts.append(EntryDraft(record: record, kind: description, creation: .init(parent: above)))
        for field in fields { try write(field, drafts.count - 1) }
        let missing = description.fields.filter { field in
            field.isRequired && !drafts[drafts.count - 1].writes(field)
        }
        guard missing.isEmpty else {
            let names = missing.map(\.name.string).joined(separator: ", ")
            throw ConcordError(.missingField, "a \(kind) needs \(names)")
        }
    }

    private func checkedParent(_ parent: ParentReference?, of kind: KindDescription) throws -> RecordID? {
        guard let wanted = kind.parent else {
            guard parent == nil else {
                throw ConcordError(.usage, "a \(kind.name) stands under no other record")
            }
            return nil
        }
        let found: (id: RecordID, kind: UTF8Text)
        switch parent {
        case nil:
            throw ConcordError(.missingField, "a \(kind.name) stands under a \(wanted), which is not given")
        case .existing(let record):
            let work = try held(record)
            guard try batch.isShown(work) else { throw notShown(record) }
            found = (record, work.state.kind)
        case .edit(let index):
            guard let place = placeOfEdit[index] else {
                throw ConcordError(.usage, "edit \(index) creates no record before this one")
            }
            found = (drafts[place].record, drafts[place].kind.name)
        }
        guard found.kind == wanted else {
            throw ConcordError(.usage, "a \(kind.name) stands under a \(wanted), not under a \(found.kind)")
        }
        return found.id
    }

    /// The place of a shown record that this member may write.
    private mutating func open(_ record: RecordID) throws -> Int {
        if let place = placeOfRecord[record] { return place }
        let work = try held(record)
        try checkOwner(work)
        guard try batch.isShown(work) else { throw notShown(record) }
        return append(work)
    }

    private mutating func append(_ work: RecordWork) -> Int {
        let place = drafts.count
        placeOfRecord[work.state.id] = place
        drafts.append(EntryDraft(record: work.state.id, kind: work.kind, work: work))
        return place
    }

    private func held(_ record: RecordID) throws -> RecordWork {
        guard let work = try batch.work(record) else {
            throw ConcordError(.unknownRecord, "there is no record \(record) in this space")
        }
        return work
    }

    private func checkOwner(_ work: RecordWork) throws {
        guard work.kind.isOwned else { return }
        let owner = batch.space.chain(work.state.created.replica)?.member
        guard let owner, batch.space.roster.owns(member, recordsOf: owner) else {
            let code =
                owner.flatMap { batch.space.roster.entry($0)?.statement.code.string } ?? "another member"
            throw ConcordError(.notTheOwner, "this \(work.kind.name) belongs to \(code)")
        }
    }

    private func notShown(_ record: RecordID) -> ConcordError {
        ConcordError(.recordNotShown, "record \(record), or one above it, is deleted")
    }

    private func check(_ work: RecordWork, base: String) throws {
        try batch.settleTexts(of: work)
        let version = work.state.version(isLive: try batch.isLive(work))
        guard version == base else {
            throw ConcordError(
                .recordMovedOn, "record \(work.state.id) has version \(version), no longer \(base)")
        }
    }

    private mutating func restore(_ record: RecordID) throws {
        let work = try held(record)
        try checkOwner(work)
        if let parent = try batch.parent(of: work), try !batch.isShown(parent) {
            throw notShown(parent.state.id)
        }
        let isLive = try batch.isLive(work)
        guard !isLive || !work.state.openDeletes.isEmpty else {
            throw ConcordError(.usage, "record \(record) is not deleted", action: "see `show`")
        }
        drafts[placeOfRecord[record] ?? append(work)].restores = true
    }

    /// A delete stands alone: its author saw the record as it was before the change.
    private mutating func checkDeletes() throws {
        for draft in drafts where draft.deletes {
            guard !draft.writesAnything, !texts.contains(where: { $0.record == draft.record }) else {
                throw ConcordError(.usage, "one change cannot both delete and write record \(draft.record)")
            }
        }
        let deleted = Set(drafts.filter(\.deletes).map(\.record))
        guard !deleted.isEmpty else { return }
        for draft in drafts {
            var above = draft.creation?.parent ?? draft.work?.state.parent
            while let record = above {
                guard !deleted.contains(record) else {
                    throw ConcordError(.usage, "one change cannot delete \(record) and write below it")
                }
                above = placeOfRecord[record].flatMap { drafts[$0].creation?.parent }
                if above == nil { above = try batch.work(record)?.state.parent }
            }
        }
        for place in drafts.indices where drafts[place].deletes {
            guard let work = drafts[place].work else { continue }
            var seen = work.state.touched
            seen.merge(try batch.touchedBelow(work))
            drafts[place].seen = seen
        }
    }
}
