// Writes back what a batch changed: records with everything that follows from them, and the heads of chains.
// Touches go up (a record above with deletes may come alive) and visibility goes down.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

extension Batch {
    /// Writes everything that is still only in memory.
    func flush() throws {
        try writeBack()
        guard !erasedRecords.isEmpty else { return }
        try refoldErased()
        try writeBack()
    }

    private func writeBack() throws {
        for work in changed { try settleTexts(of: work) }
        let concerned = try concernedRecords()
        let revealed = try changedVisibility(of: concerned)
        // In the order of their rows, which lie side by side in pages.
        for work in concerned.sorted(by: { $0.row < $1.row }) where !work.isRemoved { try write(work) }
        for work in revealed { try writeVisibility(work) }
        for work in concerned where work.isRemoved { try remove(work) }
        try writeTerms()
        let attachments = concerned.filter { $0.state.kind == Vocabulary.attachment }
        try BlobTable.write(attachments, in: space.id, db)
        if !attachments.isEmpty || revealed.contains(where: { $0.state.kind == Vocabulary.attachment }) {
            memory.touchedAttachments = true
        }
        try writeChains()
        (works, newChildren, changed, touchedChains) = ([:], [:], [], [])
    }

    /// The changed records, and those above them whose liveness may depend on them; each after the one above
    /// it.
    private func concernedRecords() throws -> [RecordWork] {
        var above: [RecordWork] = []
        var seen = Set(changed.map { ObjectIdentifier($0) })
        var checked: Set<RecordID> = []
        for work in changed {
            var current = try parent(of: work)
            while let record = current, checked.insert(record.state.id).inserted {
                if !record.state.covered.isEmpty, !record.isRemoved,
                    seen.insert(ObjectIdentifier(record)).inserted
                {
                    above.append(record)
                }
                current = try parent(of: record)
            }
        }
        return above + changed
    }

    /// Decides what is shown; gives back the records whose only change is that they appear or disappear.
    private func changedVisibility(of concerned: [RecordWork]) throws -> [RecordWork] {
        var revealed: [RecordWork] = []
        var seen = Set(concerned.map { ObjectIdentifier($0) })
        for work in concerned where !work.isRemoved {
            let state = work.state
            let isLive = try isLive(work)
            work.next = RecordWork.Stored(
                isLive: isLive, isShown: isLive, isFlagged: isLive && !state.openDeletes.isEmpty,
                conflicts: state.registers.reduce(0) { $0 + ($1.isInConflict ? 1 : 0) })
        }
        for work in concerned where !work.isRemoved {
            let isShown = try isShown(work)
            work.next?.isShown = isShown
            guard let before = work.stored, before.isShown != isShown || work.isReborn else { continue }
            for below in try descendants(of: work) where seen.insert(ObjectIdentifier(below)).inserted {
                revealed.append(below)
            }
        }
        return revealed
    }

    private func write(_ work: RecordWork) throws {
        guard let next = work.next else { preconditionFailure("A record is judged before it is written.") }
        if let stored = work.stored {
            if work.isReborn { try updateIdentity(work) }
            if work.isChanged || stored.isLive != next.isLive { try update(work, next) }
            if stored != next { try updateFlags(work, next) }
        } else {
            try insert(work, next)
        }
        try writeTexts(of: work)
        for touch in work.touches {
            try statements.insertTouch.run {
                $0.integer(work.row)
                $0.integer(touch.chain)
                $0.integer(touch.sequence.stored)
            }
        }
        try markSearch(work)
        work.stored = next
        work.touches = []
        (work.isChanged, work.isReborn) = (false, false)
    }

    private func insert(_ work: RecordWork, _ next: RecordWork.Stored) throws {
        let fresh = next.isLive ? work.fresh : nil
        let display = fresh?.display ?? RecordDisplay(work.state, kind: work.kind)
        let stored = fresh?.stored ?? work.state.stored(beside: display)
        let term = fresh?.term ?? work.state.digestTerm(isLive: next.isLive)
        weigh(work, term)
        try statements.insertRecord.run {
            $0.integer(work.row)
            $0.integer(space.id)
            $0.blob(work.state.id.value)
            $0.text(work.state.kind.string)
            $0.integer(work.owner)
            $0.integer(work.parentRow)
            $0.text(display.title)
            $0.integer(work.state.createdAt)
            $0.integer(work.state.updatedAt)
            $0.flag(next.isLive)
            $0.flag(next.isShown)
            $0.flag(next.isFlagged)
            $0.integer(Int64(next.conflicts))
            $0.blob(term)
            $0.text(display.json)
            $0.blob(stored)
        }
    }

    private func update(_ work: RecordWork, _ next: RecordWork.Stored) throws {
        let display = RecordDisplay(work.state, kind: work.kind)
        let term = work.state.digestTerm(isLive: next.isLive)
        weigh(work, term)
        try statements.updateRecord.run {
            $0.text(display.title)
            $0.integer(work.state.updatedAt)
            $0.blob(term)
            $0.text(display.json)
            $0.blob(work.state.stored(beside: display))
            $0.integer(work.row)
        }
    }

    /// Another creation decides now.
    private func updateIdentity(_ work: RecordWork) throws {
        let sql = "UPDATE record SET kind = ?, owner = ?, parent = ?, created = ? WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(arguments: [
            work.state.kind.string, work.owner, work.parentRow, work.state.createdAt, work.row,
        ])
    }

    /// Takes out a record that nothing effective created.
    private func remove(_ work: RecordWork) throws {
        guard work.stored != nil else { return }
        for sql in [
            "DELETE FROM touch WHERE record = ?", "DELETE FROM search WHERE rowid = ?",
            "DELETE FROM search_dirty WHERE record = ?", "DELETE FROM record WHERE id = ?",
        ] {
            try db.cachedStatement(sql: sql).execute(arguments: [work.row])
        }
        try TextTable.remove(record: work.row, db)
        if let term = work.term { space.terms -= term }
    }

    /// Apart from the rest: these columns stand in indexes, which most changes leave alone.
    private func updateFlags(_ work: RecordWork, _ next: RecordWork.Stored) throws {
        let sql = "UPDATE record SET live = ?, shown = ?, flagged = ?, conflicts = ? WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(arguments: [
            next.isLive, next.isShown, next.isFlagged, next.conflicts, work.row,
        ])
    }

    private func writeVisibility(_ work: RecordWork) throws {
        guard var stored = work.stored else { return }
        stored.isShown = try isShown(work)
        guard stored != work.stored else { return }
        try updateFlags(work, stored)
        try markSearch(work)
        work.stored = stored
    }

    /// Has the record's digest term take its place in the sum over all.
    private func weigh(_ work: RecordWork, _ term: Digest) {
        if let former = work.term { space.terms -= former }
        space.terms += term
        work.term = term
    }

    /// Marks the record's text for the search index.
    private func markSearch(_ work: RecordWork) throws {
        // What was never indexed is found without a mark.
        guard work.row <= (try memory.searched(db)) else { return }
        try statements.markSearch.run { $0.integer(work.row) }
    }

    private func writeTerms() throws {
        guard !changed.isEmpty else { return }
        try db.cachedStatement(sql: "UPDATE space SET terms = ? WHERE id = ?")
            .execute(arguments: [space.terms.digest.data, space.id])
    }

    private func writeChains() throws {
        let sql = "UPDATE chain SET sequence = ?, hash = ?, effective = ?, epoch = ? WHERE id = ?"
        for place in touchedChains.sorted() {
            let chain = space.chains[place]
            try db.cachedStatement(sql: sql).execute(arguments: [
                chain.sequence.stored, chain.hash.data, chain.effective.stored, chain.epoch, chain.id,
            ])
        }
    }
}
