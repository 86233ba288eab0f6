// What a node that means ill writes past its store: changes that no honest store makes, properly signed with its own key.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordText

/// A chain that is written by hand.
struct ForgedChain: Sendable {
    private let identity: SimulatedIdentity
    private let space: SpaceID
    private let replica: ReplicaID
    private let nonce: Bytes16
    /// The last change; another one may be written in its place.
    private(set) var head: (dot: Dot, hash: Digest)
    /// The change before that.
    private var before: (dot: Dot, hash: Digest)?

    init(_ identity: SimulatedIdentity, _ space: SpaceID, nonce: Bytes16) {
        self.identity = identity
        self.space = space
        self.nonce = nonce
        replica = ReplicaID(
            space: space, member: identity.member, node: NodeID(certificate: identity.node), nonce: nonce)
        head = (Dot(replica, 0), Change.chainRoot(space: space, replica: replica))
    }

    var isBegun: Bool { head.dot.sequence > 0 }

    /// The first change of the chain, which says whose it is.
    mutating func bind() throws -> ChangeRun {
        let binding = Binding(certificate: identity.node.der, member: identity.member, nonce: nonce)
        return try run(Entry(record: nil, operations: [.bind(binding)]))
    }

    /// A contact, with nothing wrong but its date.
    mutating func contact(_ number: UInt64, at timestamp: Int64) throws -> ChangeRun {
        let dot = Dot(replica, head.dot.sequence + 1)
        let record = RecordID(space: space, kind: "contact", dot: dot, index: 0, timestamp: timestamp)
        return try run(
            Entry(
                record: record,
                operations: [
                    .create(kind: "contact", parent: nil),
                    .set(field: "name", value: .text(UTF8Text("contact \(number)")), replacing: []),
                ]), at: timestamp)
    }

    /// An edit of a text far beyond its end.
    mutating func inertEdit(_ document: RecordID, after dependency: SimulatedNode.Written) throws -> ChangeRun
    {
        let runs = [TextRun(position: 1 << 20, deleted: 3, inserted: 5)]
        return try run(
            Entry(
                record: document,
                operations: [.edit(field: "body", parents: [], runs: runs, inserted: "inert")]),
            after: dependency)
    }

    /// A change that depends on one that there is not.
    mutating func dangling(_ random: inout SimulationRandom) throws -> ChangeRun {
        guard let hash = Digest(bytes: random.bytes(32)), let id = Bytes16(random.bytes(16)) else {
            preconditionFailure("as many bytes as were asked for")
        }
        return try run(
            Entry(record: nil, operations: [.unknown(header: [0x81, 0x0a], value: [0x80])]),
            after: .init(dot: Dot(ReplicaID(id), 3), hash: hash))
    }

    /// Takes the last change back, so that another one takes its number.
    mutating func goBack() {
        guard let before else { return }
        head = before
        self.before = nil
    }

    private mutating func run(
        _ entry: Entry, after dependency: SimulatedNode.Written? = nil, at timestamp: Int64 = 5
    ) throws -> ChangeRun {
        let dot = Dot(replica, head.dot.sequence + 1)
        let change = Change(
            timestamp: timestamp,
            dependencies: [dependency].compactMap { $0 }.map { Dependency($0.dot, hash: $0.hash) },
            seed: Bytes16(high: UInt64(bitPattern: timestamp), low: dot.sequence), authorLabel: "nobody",
            entries: [entry])
        let hash = change.hash(
            in: ChangeContext(
                space: space, dot: dot, previous: head.hash,
                dependencies: [dependency].compactMap { $0?.hash }))
        let previous = head.hash.mark
        before = head
        head = (dot, hash)
        return ChangeRun(
            replica: replica, firstSequence: dot.sequence, previous: previous, changes: [change.encoded()],
            signature: try identity.signer.sign(hash))
    }
}
