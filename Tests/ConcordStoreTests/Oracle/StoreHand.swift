// A hostile node's pen: changes that go on from any change of its replica, with any dependencies and names.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

/// Makes signed changes of one replica without a store.
struct StoreHand {
    let signer: Signer
    let member: MemberID
    let space: SpaceID
    let nonce: Bytes16
    let replica: ReplicaID

    /// - Parameter member: whose node it is, if not of the authority that certified it.
    init(_ signer: Signer, of member: MemberID? = nil, _ space: SpaceID) throws {
        self.signer = signer
        self.member = member ?? signer.member
        self.space = space
        nonce = try #require(Bytes16(try Randomness.bytes(16)))
        replica = ReplicaID(
            space: space, member: self.member, node: NodeID(certificate: signer.certificate), nonce: nonce)
    }

    /// A signed change, as a run of its own.
    ///
    /// - Parameter previous: what it goes on from, nil for a beginning.
    func run(
        _ entries: [Entry], after previous: (dot: Dot, hash: Digest)?,
        dependencies: [(dot: Dot, hash: Digest)], at timestamp: Int64, label: String
    ) throws -> (run: ChangeRun, hash: Digest) {
        let sorted = dependencies.sorted {
            Dependency($0.dot, hash: $0.hash) < Dependency($1.dot, hash: $1.hash)
        }
        let dot = Dot(replica, (previous?.dot.sequence ?? 0) + 1)
        let change = Change(
            timestamp: timestamp, dependencies: sorted.map { Dependency($0.dot, hash: $0.hash) },
            seed: Bytes16(high: 1, low: dot.sequence), authorLabel: UTF8Text(label), entries: entries)
        try change.checkWellFormed(space: space, dot: dot)
        let before = previous?.hash ?? Change.chainRoot(space: space, replica: replica)
        let hash = change.hash(
            in: ChangeContext(space: space, dot: dot, previous: before, dependencies: sorted.map(\.hash)))
        let run = ChangeRun(
            replica: replica, firstSequence: dot.sequence, previous: before.mark, changes: [change.encoded()],
            signature: try signer.sign(hash))
        return (run, hash)
    }

    var binding: Entry {
        // The signer's "member" is the fingerprint of the key that issued its certificate.
        let binding = Binding(
            certificate: signer.certificate.der, member: member, issuer: signer.member.digest, nonce: nonce)
        return Entry(record: nil, operations: [.bind(binding)])
    }
}

extension HistoryEntry {
    /// The entry as a change carries it.
    var real: Entry {
        Entry(record: RecordID(text: record), operations: operations.map(\.real))
    }
}

extension OracleOperation {
    /// The operation as a change carries it.
    fileprivate var real: ConcordModel.Operation {
        func dots(_ names: Set<OracleDot>) -> [Dot] { names.map(\.real).sorted() }
        switch self {
        case .create(_, let kind, let parent):
            return .create(kind: UTF8Text(kind), parent: parent.flatMap { RecordID(text: $0) })
        case .set(_, let field, let value, let names):
            return .set(field: UTF8Text(field), value: text(value), replacing: dots(names))
        case .add(_, let field, let element, let names):
            return .add(field: UTF8Text(field), element: text(element), replacing: dots(names))
        case .remove(_, let field, let element, let names):
            return .remove(field: UTF8Text(field), element: text(element), replacing: dots(names))
        case .edit(_, let field, let edit):
            return .edit(
                field: UTF8Text(field), parents: dots(edit.parents), runs: edit.runs,
                inserted: UTF8Text(edit.inserted))
        case .delete(_, let seen): return .delete(seen: VersionVector(named: seen))
        case .restore(_, let names): return .restore(deletes: dots(names))
        case .act, .other: preconditionFailure("acts stand in an entry of their own")
        }
    }
}
