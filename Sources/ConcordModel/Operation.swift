// What a change does, operation by operation. An operation names the dots that it overwrites, so that concurrency is
// decided inside the record and a replica needs no tombstones (Protocol/changes.md; rules A, B and D of the model).

import ConcordCrypto

/// One operation on a record, or on the roster.
public enum Operation: Hashable, Sendable {
    /// Brings the record into being, under a parent or on its own. Kind and parent never change.
    case create(kind: UTF8Text, parent: RecordID?)
    /// Writes a register; `replacing` names the values of this field that its author saw.
    case set(field: UTF8Text, value: Value, replacing: [Dot])
    /// Puts an element into a set; `replacing` names the adds of this element that its author saw.
    case add(field: UTF8Text, element: Value, replacing: [Dot])
    /// Takes an element out of a set: exactly the adds that it names.
    case remove(field: UTF8Text, element: Value, replacing: [Dot])
    /// Changes a mergeable text. The format has its place; this level keeps and relays it without effect.
    case edit(field: UTF8Text, parents: [Dot], runs: [TextRun], inserted: UTF8Text)
    /// Deletes the record as far as its author had seen it and everything below it.
    case delete(seen: VersionVector)
    /// Takes back the deletes that it names.
    case restore(deletes: [Dot])
    /// Carries one member's signature under a formal act.
    case act(SignedAct)
    /// Binds the replica to its node; only in the first change of a replica.
    case bind(certificate: [UInt8])
    /// Removes values for good. The format has its place; this level keeps and relays it without effect.
    case erase(changes: [Dot])
    /// An operation of a later level: kept and relayed as it stands, without effect here.
    case unknown(header: [UInt8], value: [UInt8])

    /// The number that stands for the operation in the encoding, nil for an unknown one.
    public var code: UInt64? {
        switch self {
        case .create: 0
        case .set: 1
        case .add: 2
        case .remove: 3
        case .edit: 4
        case .delete: 5
        case .restore: 6
        case .act: 7
        case .bind: 8
        case .erase: 9
        case .unknown: nil
        }
    }

    /// Whether the operation stands on a record; acts and bindings do not.
    public var isOnRecord: Bool? {
        switch self {
        case .act, .bind: false
        case .unknown: nil
        default: true
        }
    }
}

/// A part of a text edit, in Unicode scalars: at `position`, `deleted` scalars go and `inserted` come.
public struct TextRun: Hashable, Sendable {
    /// Where, in the text as its author saw it.
    public let position: UInt64
    /// How many scalars go.
    public let deleted: UInt64
    /// How many scalars of the operation's inserted text come.
    public let inserted: UInt64

    /// A run with these numbers.
    public init(position: UInt64, deleted: UInt64, inserted: UInt64) {
        self.position = position
        self.deleted = deleted
        self.inserted = inserted
    }
}

/// An act with one member's signature under it, as an operation carries it.
public struct SignedAct: Hashable, Sendable {
    /// The canonical bytes of the act.
    public let act: [UInt8]
    /// The member that signs.
    public let signer: MemberID
    /// Its authority's signature over the hash of `act`.
    public let signature: Signature

    /// An act with a signature that may or may not be valid.
    public init(act: [UInt8], signer: MemberID, signature: Signature) {
        self.act = act
        self.signer = signer
        self.signature = signature
    }

    /// The SHA-256 of the act, which names it.
    public var hash: Digest { SHA256.hash(act) }
}

/// All operations of one change on one record; or, with no record, on the roster.
public struct Entry: Hashable, Sendable {
    /// The record, nil for acts and bindings.
    public let record: RecordID?
    /// The operations in order; a `create` comes first.
    public let operations: [Operation]

    /// An entry of these operations.
    public init(record: RecordID?, operations: [Operation]) {
        self.record = record
        self.operations = operations
    }
}

/// An atomic set of operations by one replica, as its author made it. Its place in the chain, the hash of its
/// predecessor and the hashes of its dependencies are not here: see ``ChangeContext``.
public struct Change: Hashable, Sendable {
    /// Milliseconds since 1970 on the author's clock; for people, and to choose which of several values is shown.
    public var timestamp: Int64
    /// The minimal frontier of effective changes of other replicas that the writer had applied; ascending.
    public var dependencies: [Dot]
    /// 16 random bytes, from which the salts of the entries come.
    public var seed: Bytes16
    /// Who at the member made the change, for people.
    public var authorLabel: UTF8Text
    /// What it does, one entry per record.
    public var entries: [Entry]

    /// A change with these parts.
    public init(
        timestamp: Int64, dependencies: [Dot], seed: Bytes16, authorLabel: UTF8Text, entries: [Entry]
    ) {
        self.timestamp = timestamp
        self.dependencies = dependencies
        self.seed = seed
        self.authorLabel = authorLabel
        self.entries = entries
    }

    /// The number of operations, all entries together.
    public var operationCount: Int { entries.reduce(0) { $0 + $1.operations.count } }
}

/// Where a change stands: what its hash covers besides its own bytes.
public struct ChangeContext: Hashable, Sendable {
    /// The space of the chain.
    public let space: SpaceID
    /// The change's name.
    public let dot: Dot
    /// The hash of the chain's change before, or ``chainRoot(space:replica:)`` for the first.
    public let previous: Digest
    /// The hashes of the dependencies, in the order of ``Change/dependencies``.
    public let dependencies: [Digest]

    /// A place in a chain.
    public init(space: SpaceID, dot: Dot, previous: Digest, dependencies: [Digest]) {
        self.space = space
        self.dot = dot
        self.previous = previous
        self.dependencies = dependencies
    }
}
