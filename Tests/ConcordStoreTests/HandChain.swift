// Changes that no honest store writes, or too many of them for a store each.

import ConcordCrypto
import ConcordModel
import Testing

/// A chain that is written without a store, as a hostile node could.
struct HandChain {
    let signer: Signer
    let space: SpaceID
    let replica: ReplicaID
    private(set) var head: (dot: Dot, hash: Digest)

    init(_ signer: Signer, _ space: SpaceID) throws {
        self.signer = signer
        self.space = space
        replica = try #require(ReplicaID(bytes: try Randomness.bytes(16)))
        head = (Dot(replica, 0), Change.chainRoot(space: space, replica: replica))
    }

    /// One signed change.
    mutating func run(_ entry: Entry, after dependencies: [(dot: Dot, hash: Digest)] = []) throws -> ChangeRun
    {
        let sorted = dependencies.sorted { $0.dot < $1.dot }
        let dot = Dot(replica, head.dot.sequence + 1)
        let change = Change(
            timestamp: 5, dependencies: sorted.map(\.dot), seed: Bytes16(high: 1, low: dot.sequence),
            authorLabel: "hand", entries: [entry])
        try change.checkWellFormed(space: space, dot: dot)
        let hash = change.hash(
            in: ChangeContext(space: space, dot: dot, previous: head.hash, dependencies: sorted.map(\.hash)))
        head = (dot, hash)
        return ChangeRun(
            replica: replica, firstSequence: dot.sequence, changes: [change.encoded()],
            signature: try signer.sign(hash))
    }

    mutating func bind(after dependencies: [(dot: Dot, hash: Digest)] = []) throws -> ChangeRun {
        try run(
            Entry(record: nil, operations: [.bind(certificate: signer.certificate.der)]), after: dependencies)
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
