// Changes that no honest store writes, or too many of them for a store each.

import ConcordCrypto
import ConcordModel
import Testing

/// A chain that is written without a store, as a hostile node could.
struct HandChain {
    let signer: Signer
    let space: SpaceID
    let nonce: Bytes16
    let replica: ReplicaID
    /// The last change; a test may set it back, to write another branch.
    var head: (dot: Dot, hash: Digest)

    init(_ signer: Signer, _ space: SpaceID) throws {
        self.signer = signer
        self.space = space
        nonce = try #require(Bytes16(try Randomness.bytes(16)))
        replica = ReplicaID(
            space: space, member: signer.member, node: NodeID(certificate: signer.certificate), nonce: nonce)
        head = (Dot(replica, 0), Change.chainRoot(space: space, replica: replica))
    }

    /// One signed change.
    mutating func run(
        _ entry: Entry, after dependencies: [(dot: Dot, hash: Digest)] = [], label: String = "hand"
    ) throws -> ChangeRun {
        let sorted = dependencies.sorted {
            Dependency($0.dot, hash: $0.hash) < Dependency($1.dot, hash: $1.hash)
        }
        let dot = Dot(replica, head.dot.sequence + 1)
        let change = Change(
            timestamp: 5, dependencies: sorted.map { Dependency($0.dot, hash: $0.hash) },
            seed: Bytes16(high: 1, low: dot.sequence),
            authorLabel: UTF8Text(label), entries: [entry])
        try change.checkWellFormed(space: space, dot: dot)
        let hash = change.hash(
            in: ChangeContext(space: space, dot: dot, previous: head.hash, dependencies: sorted.map(\.hash)))
        let previous = head.hash.mark
        head = (dot, hash)
        return ChangeRun(
            replica: replica, firstSequence: dot.sequence, previous: previous, changes: [change.encoded()],
            signature: try signer.sign(hash))
    }

    mutating func bind(
        after dependencies: [(dot: Dot, hash: Digest)] = [], label: String = "hand"
    ) throws -> ChangeRun {
        let binding = Binding(certificate: signer.certificate.der, member: signer.member, nonce: nonce)
        return try run(Entry(record: nil, operations: [.bind(binding)]), after: dependencies, label: label)
    }

    mutating func contact(_ name: String) throws -> ChangeRun {
        let dot = Dot(replica, head.dot.sequence + 1)
        let record = RecordID(space: space, kind: "contact", dot: dot, index: 0, timestamp: 5)
        let operations: [ConcordModel.Operation] = [
            .create(kind: "contact", parent: nil), .set(field: "name", value: text(name), replacing: []),
        ]
        return try run(Entry(record: record, operations: operations))
    }
}
