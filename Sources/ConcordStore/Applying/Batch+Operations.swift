// Which operations of an effective change are allowed (rule B4), and their effect on records. The judgement
// is static: everything in the past of an effective change was applied before it, so what is found here is
// what every node finds.

import ConcordModel

extension Batch {
    /// Applies the operations of a change that became effective.
    func apply(_ arrival: Arrival) throws {
        guard arrival.role == .member else { return }
        let dot = arrival.past.dot
        guard let author = space.chain(dot.replica) else { preconditionFailure("A chain must be known.") }
        for entry in arrival.change.entries {
            guard let record = entry.record else { continue }
            var rest = entry.operations[...]
            let work: RecordWork
            if case .create(let kind, let parent) = rest.first {
                guard let born = try create(record, kind, parent, arrival, author) else { continue }
                work = born
                rest = rest.dropFirst()
            } else {
                guard let held = try self.work(record), judge(held, arrival.past, author) else { continue }
                work = held
            }
            for operation in rest {
                work.state.apply(operation, past: arrival.past, timestamp: arrival.change.timestamp)
            }
            note(work, touchedBy: author.id, dot.sequence)
        }
    }

    /// Whether a record that is held may be written by this author in a change with this past.
    private func judge(_ work: RecordWork, _ past: CausalPast, _ author: Chain) -> Bool {
        guard past.contains(work.state.created) || past.dot == work.state.created else { return false }
        guard work.kind.isOwned else { return true }
        return space.chain(work.state.created.replica)?.member == author.member
    }

    private func create(
        _ record: RecordID, _ kind: UTF8Text, _ parent: RecordID?, _ arrival: Arrival, _ author: Chain
    ) throws -> RecordWork? {
        guard let description = Vocabulary.kind(kind) else { return nil }
        var above: RecordWork?
        if let parent {
            guard let held = try work(parent) else { return nil }
            let born = held.state.created
            guard arrival.past.contains(born) || arrival.past.dot == born else { return nil }
            above = held
        }
        let state = RecordState(
            id: record, kind: kind, parent: parent, dot: arrival.past.dot, timestamp: arrival.change.timestamp
        )
        let work = RecordWork(
            row: try memory.takeRecord(db), state: state, kind: description, owner: author.party,
            parentRow: above?.row)
        works[record] = work
        if let parent { newChildren[parent, default: []].append(work) }
        return work
    }

    private func note(_ work: RecordWork, touchedBy chain: Int64, _ sequence: UInt64) {
        work.touches.append((chain, sequence))
        guard !work.isChanged else { return }
        work.isChanged = true
        changed.append(work)
    }
}
