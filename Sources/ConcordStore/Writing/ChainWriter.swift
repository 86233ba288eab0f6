// Appends this node's own changes to its chain: the first change that binds a new replica, merges where the
// frontier is too wide, signatures where they are due. Lives for one transaction.

import CBOR
import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// Writes own changes of one space in one transaction.
final class ChainWriter {
    /// An operation that does nothing: a change that only carries dependencies, to bring a wide frontier
    /// together (Protocol/changes.md, "Merges"). Its number is 10.
    static let merge = Operation.unknown(header: [0x81, 0x0a], value: [0x80])

    private let batch: Batch
    private let signer: any NodeSigner
    private let random: @Sendable (Int) throws -> [UInt8]
    /// The own chain, once something was written to it.
    private var replica: ReplicaID?
    /// The frontier for the next change; nil when it must be computed.
    private var frontier: [Dot]?
    /// The last change, while it is not signed, and the bytes since the last signature.
    private var unsigned: (position: Int64, hash: Digest)?
    private var unsignedBytes = 0

    init(batch: Batch, signer: any NodeSigner, random: @escaping @Sendable (Int) throws -> [UInt8]) {
        self.batch = batch
        self.signer = signer
        self.random = random
    }

    /// The node as which this writes.
    var node: NodeID { NodeID(certificate: signer.certificate) }

    /// Writes one draft as one change.
    ///
    /// - Throws: ``DraftRefusal`` for what the draft's author can cause, before anything had effect; any
    ///   other error means that the transaction must be rolled back.
    func write(_ draft: Draft, author: String, now: Int64) throws -> WrittenChange {
        let prepared: (plan: Plan, new: Prepared, created: [RecordID])
        do {
            prepared = try prepare(draft, author: author, now: now)
        } catch let error as ConcordError where error.code != .corruptDatabase {
            throw DraftRefusal(error: error)
        }
        let (plan, new, created) = prepared
        let place = try plan.place ?? batch.addChain(plan.replica, try binding(), isOwn: true)
        replica = plan.replica
        for dependencies in plan.before {
            let isFirst = batch.space.chains[place].sequence == 0
            _ = try append(
                try encode(
                    [isFirst ? bindEntry : mergeEntry], dependencies, batch.space.chains[place].head.next,
                    new.change.authorLabel, new.change.timestamp), place: place)
        }
        let hash = try append(new, place: place)
        return WrittenChange(dot: new.dot, hash: hash, created: created)
    }

    /// The changes that are to be written for one draft.
    private struct Plan {
        /// The own chain; nil if a new one must be begun.
        let place: Int?
        let replica: ReplicaID
        /// The dependencies of the changes before the draft's own: the binding and, for a wide frontier,
        /// merges.
        let before: [[Dot]]
        /// The dependencies of the draft's change.
        let dependencies: [Dot]
        /// The name of the draft's change.
        let dot: Dot
    }

    /// A change that can be appended.
    private struct Prepared {
        let dot: Dot
        let change: Change
        let bytes: [UInt8]
    }

    private func prepare(
        _ draft: Draft, author: String, now: Int64
    ) throws -> (plan: Plan, new: Prepared, created: [RecordID]) {
        try checkStanding()
        let label = UTF8Text(author)
        guard label.byteCount <= Limits.authorLabelBytes else {
            throw ConcordError(
                .limitExceeded, "the author's name has more than \(Limits.authorLabelBytes) bytes")
        }
        let timestamp = min(max(0, now), Limits.timestamp)
        let plan = try plan()
        var builder = DraftBuilder(batch: batch, member: signer.member, dot: plan.dot, timestamp: timestamp)
        let entries = try builder.entries(of: draft)
        let new = try encode(entries, plan.dependencies, plan.dot, label, timestamp)
        return (plan, new, builder.created)
    }

    private func plan() throws -> Plan {
        let place = replica.flatMap(batch.space.place) ?? batch.space.ownPlace(node)
        var groups: [[Dot]] = []
        var pending = try frontier ?? computeFrontier(place)
        while pending.count > Limits.dependencies {
            groups.append(pending.prefix(Limits.dependencies).sorted())
            pending.removeFirst(Limits.dependencies)
        }
        frontier = nil
        groups.append(pending.sorted())
        guard let place else {
            _ = try binding()
            if groups.count == 1 { groups.append([]) }
            let replica = try newReplica()
            return Plan(
                place: nil, replica: replica, before: groups.dropLast(),
                dependencies: groups[groups.count - 1],
                dot: Dot(replica, UInt64(groups.count)))
        }
        let chain = batch.space.chains[place]
        return Plan(
            place: place, replica: chain.replica, before: groups.dropLast(),
            dependencies: groups[groups.count - 1],
            dot: Dot(chain.replica, chain.sequence + UInt64(groups.count)))
    }

    /// Signs the last change, if it is not signed yet. Before a transaction is committed this must be done.
    func finish() throws {
        guard let unsigned else { return }
        try batch.sign(position: unsigned.position, try signer.sign(unsigned.hash))
        self.unsigned = nil
        unsignedBytes = 0
    }

    private func checkStanding() throws {
        switch batch.space.roster.role(signer.member) {
        case .member: return
        case .observer:
            throw ConcordError(
                .notInStanding, "this node's member is an observer of the space and only reads")
        case nil:
            throw ConcordError(.notYetAdmitted, "this node's member is not on the roster as it is known here")
        }
    }

    private var bindEntry: Entry {
        Entry(record: nil, operations: [.bind(certificate: signer.certificate.der)])
    }

    private var mergeEntry: Entry { Entry(record: nil, operations: [Self.merge]) }

    private func newReplica() throws -> ReplicaID {
        guard let replica = ReplicaID(bytes: try random(16)), batch.space.place(replica) == nil else {
            throw ConcordError(.internalError, "the random source gave no new replica id")
        }
        return replica
    }

    private func binding() throws -> Binding {
        guard let authority = batch.space.authorities[signer.member],
            signer.certificate.isSigned(by: authority.publicKey)
        else {
            throw ConcordError(
                .notYetAdmitted, "this node's certificate is not issued by the authority that was admitted")
        }
        return Binding(certificate: signer.certificate, authority: authority)
    }

    /// The minimal frontier of E without the own chain (rule C1), as far as the own chain does not know it
    /// yet.
    private func computeFrontier(_ place: Int?) throws -> [Dot] {
        let known = try place.map { try batch.knownAtHead($0) } ?? VersionVector()
        let news = batch.space.order.compactMap { index -> Dot? in
            let chain = batch.space.chains[index]
            guard index != place, chain.effective > known[chain.replica] else { return nil }
            return Dot(chain.replica, chain.effective)
        }
        guard news.count > 1 else { return news }
        let pasts = try news.map { try batch.known(at: $0) }
        return news.filter { dot in
            !zip(news, pasts).contains { other, past in other != dot && past.contains(dot) }
        }
    }

    private func encode(
        _ entries: [Entry], _ dependencies: [Dot], _ dot: Dot, _ label: UTF8Text, _ timestamp: Int64
    ) throws -> Prepared {
        guard let seed = Bytes16(try random(16)) else {
            throw ConcordError(.internalError, "the random source gave too few bytes")
        }
        let change = Change(
            timestamp: timestamp, dependencies: dependencies, seed: seed, authorLabel: label, entries: entries
        )
        try change.checkWellFormed(space: batch.space.space, dot: dot)
        let bytes = change.encoded()
        guard bytes.count <= Limits.changeBytes else {
            throw ConcordError(
                .limitExceeded, "the change has \(bytes.count) bytes, \(Limits.changeBytes) are allowed")
        }
        return Prepared(dot: dot, change: change, bytes: bytes)
    }

    private func append(_ new: Prepared, place: Int) throws -> Digest {
        let chain = batch.space.chains[place]
        precondition(new.dot == chain.head.next, "Own changes are prepared one after another.")
        let context = ChangeContext(
            space: batch.space.space, dot: new.dot, previous: chain.hash,
            dependencies: try new.change.dependencies.map { try batch.hash(of: $0) })
        let hash = new.change.hash(in: context)
        if unsignedBytes + new.bytes.count > Limits.signedRunBytes { try finish() }
        try batch.append(
            VerifiedChange(
                dot: new.dot, change: new.change, bytes: new.bytes, hash: hash, signature: nil, binding: nil))
        // An act of one's own may bring changes of others into effect, on which the next change must depend.
        let hasActs = new.change.entries.contains { $0.record == nil }
        frontier = hasActs ? nil : []
        unsigned = batch.last.map { ($0.position, hash) }
        unsignedBytes += new.bytes.count
        return hash
    }
}

/// A draft that was refused before anything of it had effect.
struct DraftRefusal: Error {
    let error: ConcordError
}

extension Dot {
    /// The name of the change that follows.
    var next: Dot { Dot(replica, sequence + 1) }
}

extension Batch {
    /// The hash of a change that is held.
    func hash(of dot: Dot) throws -> Digest {
        guard let chain = space.chain(dot.replica) else { preconditionFailure("A dependency must be held.") }
        if chain.sequence == dot.sequence { return chain.hash }
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        return try row.digest(0)
    }
}
