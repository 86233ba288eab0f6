// What people remember of what they wrote, with what they had seen when they wrote it. From that alone follows what
// everybody must see in the end: an edit is overridden only by one whose author had seen it. Nothing here asks a store how
// it merges.

import ConcordAPI
import ConcordModel
import ConcordStore

/// The edits that were acknowledged, in the order in which they were made.
struct WriteLedger: Sendable {
    /// An edit.
    struct Entry: Sendable {
        let dot: Dot
        let record: RecordID
        let memory: PlannedWork.Memory
        /// What the writer's node held before.
        let seen: VersionVector

        /// Whether its author knew another edit when making this one.
        func knew(_ other: Entry) -> Bool {
            seen.contains(other.dot) || dot.replica == other.dot.replica && dot.sequence > other.dot.sequence
        }
    }

    private(set) var entries: [Entry] = []
    /// Records of which it is not known whether somebody's edit was kept: the answer was lost.
    private(set) var uncertain: Set<RecordID> = []

    /// Remembers a work that was acknowledged.
    mutating func note(_ work: PlannedWork, _ change: WrittenChange, seen: VersionVector) {
        for memory in work.memories {
            guard let record = memory.subject.record(change.created) else { continue }
            entries.append(Entry(dot: change.dot, record: record, memory: memory, seen: seen))
        }
    }

    /// Remembers one thing that was acknowledged.
    mutating func note(
        _ memory: PlannedWork.Memory, of record: RecordID, _ dot: Dot, seen: VersionVector
    ) {
        entries.append(Entry(dot: dot, record: record, memory: memory, seen: seen))
    }

    /// Remembers a work of which nobody knows whether it was kept.
    mutating func doubt(_ work: PlannedWork) {
        for case .existing(let record) in work.memories.map(\.subject) { doubt(record) }
    }

    /// Remembers that something may have been done to a record.
    mutating func doubt(_ record: RecordID) { uncertain.insert(record) }

    // MARK: What a canary breaks

    /// Takes an edit that still counts for another one, or invents a deletion of a record that is shown; false if there is
    /// none.
    mutating func falsify(_ canary: Canary, _ shown: [RecordID]) -> Bool {
        let erasures = entries.filter { if case .erasure = $0.memory { true } else { false } }
        let erased = Set(erasures.map(\.record))
        // Where something is not known, a deletion more may be true.
        guard canary != .inventedDeletion || uncertain.isEmpty && erased.isEmpty else { return false }
        let certain = Set(shown).subtracting(uncertain).subtracting(erased)
        for index in entries.indices.reversed() where certain.contains(entries[index].record) {
            let entry = entries[index]
            guard !entries.contains(where: { $0.record == entry.record && $0.knew(entry) }),
                let memory = entry.memory.falsified(canary)
            else { continue }
            if canary == .inventedDeletion {
                let touches = entries.map(\.dot).sorted()
                var seen = VersionVector()
                for dot in touches { seen.raise(dot.replica, to: dot.sequence) }
                entries.append(Entry(dot: entry.dot, record: entry.record, memory: memory, seen: seen))
            } else {
                entries[index] = Entry(
                    dot: entry.dot, record: entry.record, memory: memory, seen: entry.seen)
            }
            return true
        }
        return false
    }
}

extension PlannedWork.Memory {
    /// The record that it is about.
    var subject: PlannedWork.Subject {
        switch self {
        case .value(let subject, _, _), .element(let subject, _, _, _), .words(let subject, _, _),
            .touch(let subject), .deletion(let subject), .erasure(let subject):
            subject
        }
    }

    /// Whether it keeps a record from being deleted by somebody who does not know it.
    var isTouch: Bool {
        switch self {
        case .value, .element, .words, .touch: true
        case .deletion, .erasure: false
        }
    }

    fileprivate func falsified(_ canary: Canary) -> Self? {
        switch (canary, self) {
        case (.alteredEdit, .value(let subject, let field, _)):
            .value(subject, field: field, .string("what nobody wrote"))
        case (.alteredWord, .words(let subject, let added, let gone)) where !added.isEmpty && gone.isEmpty:
            .words(subject, added: ["unwritten"], gone: [])
        case (.inventedDeletion, _) where isTouch: .deletion(subject)
        default: nil
        }
    }
}

extension PlannedWork.Subject {
    fileprivate func record(_ created: [RecordID]) -> RecordID? {
        switch self {
        case .existing(let record): record
        case .created(let number): number < created.count ? created[number] : nil
        }
    }
}
