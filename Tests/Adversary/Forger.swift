// What the enemy can do by hand that an honest writer never does: changes of any content under any name, several under
// one signature, signed with whatever key.

import ConcordCrypto
import ConcordModel
import Testing

@testable import TestSupport

/// A change that the enemy wants to make.
struct Draft {
    var entries: [Entry]
    var after: [Place] = []
    var timestamp: Int64 = 5

    init(_ entries: Entry..., after: [Place] = [], at timestamp: Int64 = 5) {
        self.entries = entries
        self.after = after
        self.timestamp = timestamp
    }

    init(entries: [Entry]) { self.entries = entries }

    /// An entry without a record.
    init(_ operation: ConcordModel.Operation, after: [Place] = []) {
        self.init(Entry(record: nil, operations: [operation]), after: after)
    }
}

extension HandChain {
    /// The dot that the next change bears.
    var next: Dot { Dot(replica, head.dot.sequence + 1) }

    /// One run of several changes, of which nothing is checked.
    ///
    /// - Parameters:
    ///   - name: the replica under which they go; the chain's own unless somebody is to be deceived.
    ///   - signer: whose key signs; the chain's own unless it is a forgery.
    mutating func forge(
        _ drafts: [Draft], as name: ReplicaID? = nil, by signer: Signer? = nil
    ) throws -> ChangeRun {
        let replica = name ?? self.replica
        let first = head
        var bytes: [[UInt8]] = []
        for draft in drafts {
            let after = draft.after.sorted {
                Dependency($0.dot, hash: $0.hash) < Dependency($1.dot, hash: $1.hash)
            }
            let dot = Dot(replica, head.dot.sequence + 1)
            let change = Change(
                timestamp: draft.timestamp, dependencies: after.map { Dependency($0.dot, hash: $0.hash) },
                seed: Bytes16(high: 9, low: dot.sequence), authorLabel: "enemy", entries: draft.entries)
            let context = ChangeContext(
                space: space, dot: dot, previous: head.hash, dependencies: after.map(\.hash))
            head = (Dot(self.replica, dot.sequence), change.hash(in: context))
            bytes.append(change.encoded())
        }
        return ChangeRun(
            replica: replica, firstSequence: first.dot.sequence + 1, previous: first.hash.mark,
            changes: bytes,
            signature: try (signer ?? self.signer).sign(head.hash))
    }

    mutating func forge(_ drafts: Draft..., as name: ReplicaID? = nil, by signer: Signer? = nil) throws
        -> ChangeRun
    {
        try forge(drafts, as: name, by: signer)
    }

    /// The making of a record by the next change.
    func creation(
        of kind: UTF8Text, _ title: String = "", parent: RecordID? = nil, index: Int = 0,
        at timestamp: Int64 = 5
    ) -> (record: RecordID, entry: Entry) {
        let record = RecordID(space: space, kind: kind, dot: next, index: index, timestamp: timestamp)
        var operations: [ConcordModel.Operation] = [.create(kind: kind, parent: parent)]
        let field = Vocabulary.kind(kind)?.titleField ?? "title"
        if !title.isEmpty { operations.append(.set(field: field, value: text(title), replacing: [])) }
        return (record, Entry(record: record, operations: operations))
    }

    /// An act that the next change carries.
    mutating func carry(_ acts: SignedAct..., after: [Place] = []) throws -> ChangeRun {
        try forge(Draft(Entry(record: nil, operations: acts.map { .act($0) }), after: after))
    }
}

extension ChangeRun {
    /// The same run with parts of it changed.
    func altered(
        replica: ReplicaID? = nil, first: UInt64? = nil, previous: Bytes16? = nil, changes: [[UInt8]]? = nil,
        signature: Signature? = nil
    ) -> ChangeRun {
        ChangeRun(
            replica: replica ?? self.replica, firstSequence: first ?? firstSequence,
            previous: previous ?? self.previous, changes: changes ?? self.changes,
            signature: signature ?? self.signature)
    }
}

/// An entry that writes one field of a record that is there already.
func setting(_ record: RecordID, _ field: UTF8Text, _ value: String, replacing: [Dot] = []) -> Entry {
    Entry(record: record, operations: [.set(field: field, value: text(value), replacing: replacing)])
}
