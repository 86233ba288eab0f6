// What a change does, operation by operation. An operation names the dots that it overwrites, so that concurrency is
// decided inside the record and a replica needs no tombstones (Protocol/changes.md; rules A, B and D of the model).

import ConcordCrypto
import ConcordText

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
    /// Changes a mergeable text as it was after the edits that `parents` names, run by run; nil for an inserted text that
    /// was erased.
    case edit(field: UTF8Text, parents: [Dot], runs: [TextRun], inserted: UTF8Text?)
    /// Deletes the record as far as its author had seen it and everything below it.
    case delete(seen: VersionVector)
    /// Takes back the deletes that it names.
    case restore(deletes: [Dot])
    /// Carries one member's signature under a formal act.
    case act(SignedAct)
    /// Binds the replica to its node; only in the first change of a replica.
    case bind(Binding)
    /// Removes for good what these changes of the author's own member wrote to the record; says why.
    case erase(changes: [Dot], reason: UTF8Text)
    /// An operation of a later level: kept and relayed as it stands, without effect here. No bytes stand for a value
    /// that was erased.
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

/// Whose a replica is: what its first change says, and what its id is made of.
public struct Binding: Hashable, Sendable {
    /// The node's signing certificate in DER.
    public let certificate: [UInt8]
    /// The member that certified the node.
    public let member: MemberID
    /// The fingerprint of the authority key that issued the certificate; the member's founding key, unless it was
    /// rotated.
    public let issuer: Digest
    /// 16 random bytes, which tell the replicas of one node apart.
    public let nonce: Bytes16

    /// A binding of these parts.
    ///
    /// - Parameter issuer: nil for the member's founding key.
    public init(certificate: [UInt8], member: MemberID, issuer: Digest? = nil, nonce: Bytes16) {
        self.certificate = certificate
        self.member = member
        self.issuer = issuer ?? member.digest
        self.nonce = nonce
    }
}

/// A change of another replica that must be held first. Of a replica that signed two changes of one number the mark
/// says which of them is meant.
public struct Dependency: Hashable, Comparable, Sendable {
    /// The change's name.
    public let dot: Dot
    /// The first 16 bytes of its hash.
    public let mark: Bytes16

    /// The change with this name and mark.
    public init(_ dot: Dot, mark: Bytes16) {
        self.dot = dot
        self.mark = mark
    }

    /// The change with this name and hash.
    public init(_ dot: Dot, hash: Digest) { self.init(dot, mark: hash.mark) }

    public static func < (a: Self, b: Self) -> Bool { (a.dot, a.mark) < (b.dot, b.mark) }
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

/// An atomic set of operations by one replica, as its author made it, or with some entries erased. Its place in the
/// chain, the hash of its predecessor and the hashes of its dependencies are not here: see ``ChangeContext``.
public struct Change: Hashable, Sendable {
    /// Milliseconds since 1970 on the author's clock; for people, and to choose which of several values is shown.
    public var timestamp: Int64
    /// The minimal frontier of effective changes of other replicas that the writer had applied; ascending.
    public var dependencies: [Dependency]
    /// What salts the author's label and the values of each entry.
    public var salts: Salts
    /// Who at the member made the change, for people.
    public var authorLabel: UTF8Text
    /// What it does, one entry per record.
    public var entries: [Entry]

    /// From what the salts come: it tells the full form of a change from its erased form.
    public enum Salts: Hashable, Sendable {
        /// The full form: 16 random bytes, from which all salts follow.
        case seed(Bytes16)
        /// The erased form, for the label and then for each entry: the salt, or of an erased entry the hash over salt
        /// and values.
        case parts([Digest])
    }

    /// A change with these parts, in full form.
    public init(
        timestamp: Int64, dependencies: [Dependency], seed: Bytes16, authorLabel: UTF8Text, entries: [Entry]
    ) {
        self.init(
            timestamp: timestamp, dependencies: dependencies, salts: .seed(seed), authorLabel: authorLabel,
            entries: entries)
    }

    init(
        timestamp: Int64, dependencies: [Dependency], salts: Salts, authorLabel: UTF8Text, entries: [Entry]
    ) {
        self.timestamp = timestamp
        self.dependencies = dependencies
        self.salts = salts
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
