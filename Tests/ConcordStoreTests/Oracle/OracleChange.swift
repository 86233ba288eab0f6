// What the oracle knows of a change: names instead of keys, hashes and bytes. All strings are ASCII and stand
// for identities; nothing about encoding, signatures or storage is here, so that the rules can be read
// without them.

import ConcordText

/// (replica, sequence), which after an equivocation names more than one change.
struct OracleDot: Hashable, Comparable, CustomStringConvertible {
    let replica: String
    let sequence: Int

    init(_ replica: String, _ sequence: Int) {
        self.replica = replica
        self.sequence = sequence
    }

    static func < (a: Self, b: Self) -> Bool { (a.replica, a.sequence) < (b.replica, b.sequence) }
    var description: String { "\(replica)#\(sequence)" }
}

/// The role in which a member stands.
enum OracleRole: String {
    case member, observer
}

/// A formal act, apart from who signed it.
struct OracleAct: Hashable {
    /// Stands for the hash of the act's bytes.
    let name: String
    let content: Content

    enum Content: Hashable {
        case admit(subject: String, as: OracleRole, predecessor: String?)
        case suspend(subject: String, keeps: [String: Int])
        case reinstate(subject: String, suspensions: Set<String>)
        /// Of the signer's own node.
        case revoke(node: String, keeps: [String: Int])
        /// `standing` names admissions of the subject, and the space for a founder.
        case leave(subject: String, standing: Set<String>, keeps: [String: Int])
        /// The signer's authority key `replaces` gives way to `key`.
        case rotate(subject: String, replaces: String, key: String)
        /// An act that changes neither roster nor effect, or that cannot be read.
        case other
    }

    init(_ name: String, _ content: Content) {
        self.name = name
        self.content = content
    }
}

/// An act with one member's name under it.
struct OracleSignedAct: Hashable {
    let act: OracleAct
    let signer: String
    /// The authority key with which the signature verifies, nil if it is forged. The founding key of a member
    /// bears the member's name.
    let key: String?

    init(_ act: OracleAct, by signer: String, key: String?) {
        self.act = act
        self.signer = signer
        self.key = key
    }

    init(_ act: OracleAct, by signer: String) { self.init(act, by: signer, key: signer) }
}

/// One operation of a change.
enum OracleOperation: Hashable {
    case create(record: String, kind: String, parent: String?)
    case set(record: String, field: String, value: String, names: Set<OracleDot>)
    case add(record: String, field: String, element: String, names: Set<OracleDot>)
    case remove(record: String, field: String, element: String, names: Set<OracleDot>)
    case edit(record: String, field: String, OracleEdit)
    case delete(record: String, seen: [String: Int])
    case restore(record: String, names: Set<OracleDot>)
    case act(OracleSignedAct)
    /// A binding, a merge, an operation of a later level.
    case other

    /// The record on which the operation stands, nil if it can have no effect on any.
    var record: String? {
        switch self {
        case .create(let record, _, _), .set(let record, _, _, _), .add(let record, _, _, _),
            .remove(let record, _, _, _), .edit(let record, _, _), .delete(let record, _),
            .restore(let record, _):
            record
        case .act, .other: nil
        }
    }
}

/// What an edit does to a text.
struct OracleEdit: Hashable {
    let parents: Set<OracleDot>
    let runs: [TextRun]
    let inserted: String
}

/// A change as somebody made it.
struct OracleChange: Hashable {
    /// Stands for the hash of the change, which names it among the branches of a forked replica.
    let hash: String
    /// The real replica, whatever branch of it this is.
    let dot: OracleDot
    /// The member and the node that the replica is bound to.
    let member: String
    let node: String
    /// The authority key that certified the node, as the first change of the replica says.
    let issuer: String
    let previous: String?
    let dependencies: [String]
    let timestamp: Int64
    let operations: [OracleOperation]

    init(
        hash: String, dot: OracleDot, member: String, node: String, issuer: String? = nil, previous: String?,
        dependencies: [String], timestamp: Int64, operations: [OracleOperation]
    ) {
        self.hash = hash
        self.dot = dot
        self.member = member
        self.node = node
        self.issuer = issuer ?? member
        self.previous = previous
        self.dependencies = dependencies
        self.timestamp = timestamp
        self.operations = operations
    }

    var replica: String { dot.replica }
    var signedActs: [OracleSignedAct] {
        operations.compactMap { if case .act(let signed) = $0 { signed } else { nil } }
    }
}

/// What the charter and the vocabulary say.
struct OracleCharter {
    /// The name by which a founder gives up its standing.
    let space: String
    let founders: Set<String>
    let admission: Int
    let suspension: Int
    /// The known kinds: those that only the owner writes, and those that every member writes.
    let ownedKinds: Set<String>
    let sharedKinds: Set<String>
}
