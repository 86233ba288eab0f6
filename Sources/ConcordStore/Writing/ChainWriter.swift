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
    /// Random bytes for changes to come.
    private var seeds: [Bytes16] = []
    private static let seedsAtOnce = 32

    init(batch: Batch, signer: any NodeSigner, random: @escaping @Sendable (Int) throws -> [UInt8]) {
        self.batch = batch
        self.signer = signer
        self.random = random
    }

    /// The node as which this writes.
    var node: NodeID { NodeID(certificate: signer.certificate) }

    /// Writes one draft as one change; as several, if its texts are too large for one.
    ///
    /// - Throws: ``DraftRefusal`` for what the draft's author can cause, before anything had effect; any
    ///   other error means that the transaction must be rolled back.
    func write(_ draft: Draft, author: String, now: Int64) throws -> WrittenChange {
        var created: [RecordID] = []
        var texts: [TextDraft] = []
        let first = try write(author: author, now: now) { dot, timestamp in
            var builder = DraftBuilder(batch: batch, member: signer.member, dot: dot, timestamp: timestamp)
            let entries = try builder.entries(of: draft)
            (created, texts) = (builder.created, builder.texts)
            return entries
        } created: {
            created
        }
        var last = first
        for var text in texts {
            var parents = text.isBegun ? [first.dot] : text.parents
            while let entry = text.takeNext(after: parents) {
                do {
                    last = try write(author: author, now: now) { _, _ in
                        [entry]
                    } created: {
                        created
                    }
                } catch let refusal as DraftRefusal {
                    // The beginning of the text has effect already.
                    throw refusal.error
                }
                parents = [last.dot]
            }
        }
        return last
    }

    /// Brings branches of this node's own replicas back into effect that it forked itself, because its database was set
    /// back or copied: a merge under its new replica that depends on their ends. So nothing is written twice, and every
    /// value keeps its name.
    ///
    /// - Returns: nil if there is nothing to bring back.
    func adoptOwnBranches(author: String, now: Int64) throws -> WrittenChange? {
        let space = batch.space
        let ends = space.order.map { space.chains[$0] }.hiddenEnds(of: node, forks: space.forks)
        guard !ends.isEmpty else { return nil }
        frontier = try minimal(try computeFrontier(space.ownPlace(node)) + ends.map(\.head))
        return try write(author: author, now: now) { _, _ in
            [mergeEntry]
        } created: {
            []
        }
    }

    /// Writes a change of any content.
    func append(
        author: String, now: Int64, _ entries: (Dot, Int64) -> [Entry]
    ) throws -> WrittenChange {
        try write(author: author, now: now) { dot, timestamp in
            entries(dot, timestamp)
        } created: {
            []
        }
    }

    private func write(
        author: String, now: Int64, _ entries: (Dot, Int64) throws -> [Entry], created: () -> [RecordID]
    ) throws -> WrittenChange {
        let prepared: (plan: Plan, new: Prepared)
        do {
            prepared = try prepare(author: author, now: now, entries)
        } catch let error as ConcordError where error.code != .corruptDatabase {
            throw DraftRefusal(error: error)
        }
        let (plan, new) = prepared
        let first = plan.before.first ?? plan.dependencies
        let place =
            try plan.place
            ?? batch.addChain(
                plan.replica, plan.owner, dependencies: first.map(\.name), isOwn: true)
        replica = plan.replica
        for dependencies in plan.before {
            let entry = batch.space.chains[place].isEmpty ? plan.bindEntry : mergeEntry
            _ = try append(
                try encode(
                    [entry], dependencies, batch.space.chains[place].head.next, new.change.authorLabel,
                    new.change.timestamp), place: place)
        }
        let hash = try append(new, place: place)
        return WrittenChange(dot: new.dot, hash: hash, created: created())
    }

    /// The changes that are to be written for one draft.
    private struct Plan {
        /// The own chain; nil if a new one must be begun.
        let place: Int?
        let replica: ReplicaID
        let owner: ChainOwner
        let nonce: Bytes16
        /// The dependencies of the changes before the draft's own: the binding and, for a wide frontier,
        /// merges.
        let before: [[Parent]]
        /// The dependencies of the draft's change.
        let dependencies: [Parent]
        /// The name of the draft's change.
        let dot: Dot

        /// What begins the chain.
        var bindEntry: Entry {
            let binding = Binding(
                certificate: owner.certificate.der, member: owner.member, issuer: owner.issuer, nonce: nonce)
            return Entry(record: nil, operations: [.bind(binding)])
        }
    }

    /// A dependency by its chain's name and by its own.
    private struct Parent {
        let name: Dot
        let dependency: Dependency
        let hash: Digest
    }

    /// A change that can be appended.
    private struct Prepared {
        let dot: Dot
        let stored: StoredChange
        let dependencies: [Parent]

        var change: Change { stored.change }
        var bytes: [UInt8] { stored.bytes }
    }

    private func prepare(
        author: String, now: Int64, _ entries: (Dot, Int64) throws -> [Entry]
    ) throws -> (plan: Plan, new: Prepared) {
        try checkStanding()
        let label = UTF8Text(author)
        guard label.byteCount <= Limits.authorLabelBytes else {
            throw ConcordError(
                .limitExceeded, "the author's name has more than \(Limits.authorLabelBytes) bytes")
        }
        let timestamp = min(max(0, now), Limits.timestamp)
        let plan = try plan()
        let new = try encode(
            try entries(plan.dot, timestamp), plan.dependencies, plan.dot, label, timestamp)
        return (plan, new)
    }

    private func plan() throws -> Plan {
        let place = replica.flatMap(batch.space.place) ?? batch.space.ownPlace(node)
        var groups: [[Parent]] = []
        var pending = try (frontier ?? computeFrontier(place)).map(parent)
        while pending.count > Limits.dependencies {
            groups.append(pending.prefix(Limits.dependencies).sorted { $0.dependency < $1.dependency })
            pending.removeFirst(Limits.dependencies)
        }
        frontier = nil
        groups.append(pending.sorted { $0.dependency < $1.dependency })
        let owner = try owner()
        guard let place else {
            if groups.count == 1 { groups.append([]) }
            guard let nonce = Bytes16(try random(16)) else { throw Self.shortOfRandomness }
            let replica = ReplicaID(
                space: batch.space.space, member: owner.member, node: owner.node, nonce: nonce)
            guard batch.space.segments(replica).isEmpty else { throw Self.shortOfRandomness }
            return Plan(
                place: nil, replica: replica, owner: owner, nonce: nonce, before: groups.dropLast(),
                dependencies: groups[groups.count - 1], dot: Dot(replica, UInt64(groups.count)))
        }
        let chain = batch.space.chains[place]
        return Plan(
            place: place, replica: chain.replica, owner: owner, nonce: Bytes16(high: 0, low: 0),
            before: groups.dropLast(), dependencies: groups[groups.count - 1],
            dot: Dot(chain.replica, chain.sequence + UInt64(groups.count)))
    }

    private func parent(_ name: Dot) throws -> Parent {
        let hash = try batch.hash(of: name)
        return Parent(name: name, dependency: Dependency(batch.space.real(name), hash: hash), hash: hash)
    }

    private static var shortOfRandomness: ConcordError {
        ConcordError(.internalError, "the random source gave no new replica id")
    }

    /// Has the frontier computed anew: somebody else wrote to the space.
    func forgetFrontier() { frontier = nil }

    /// Signs the last change, if it is not signed yet. Before a transaction is committed this must be done.
    func finish() throws {
        guard let unsigned else { return }
        try batch.sign(position: unsigned.position, try signer.sign(unsigned.hash))
        self.unsigned = nil
        unsignedBytes = 0
    }

    private func checkStanding() throws {
        let roster = batch.space.roster
        if roster.entry(signer.member)?.suspensions.isEmpty == false {
            throw ConcordError(.notInStanding, "this node's member is suspended and only reads")
        }
        if roster.isRevoked(node, of: signer.member) {
            throw ConcordError(
                .notInStanding, "this node was revoked by its member",
                action: "ask the member's authority to certify a new node")
        }
        switch roster.role(signer.member) {
        case .member: return
        case .observer:
            throw ConcordError(
                .notInStanding, "this node's member is an observer of the space and only reads")
        case nil:
            throw ConcordError(.notYetAdmitted, "this node's member is not on the roster as it is known here")
        }
    }

    private var mergeEntry: Entry { Entry(record: nil, operations: [Self.merge]) }

    /// Whose chain is written: a certificate of a replaced authority still serves a chain that was begun with it, but
    /// begins no new one.
    private func owner() throws -> ChainOwner {
        let issuer =
            batch.space.ownIssuers[node]
            ?? batch.space.authorities[signer.member]?.first {
                signer.certificate.isSigned(by: $0.publicKey)
            }
        guard let issuer else {
            throw ConcordError(
                .notYetAdmitted, "this node's certificate is not issued by the authority that was admitted")
        }
        batch.space.ownIssuers[node] = issuer
        let key = issuer.publicKey.fingerprint
        let begins = replica == nil && batch.space.ownPlace(node) == nil
        if begins, batch.space.roster.entry(signer.member)?.hasAuthority(key) == false {
            throw ConcordError(
                .notInStanding, "this node's certificate was issued by an authority that was replaced since",
                action: "have it issued again: concord node renew")
        }
        return ChainOwner(certificate: signer.certificate, member: signer.member, issuer: key)
    }

    /// The minimal frontier of E without the own chain (rule C1), as far as the own chain does not know it
    /// yet.
    private func computeFrontier(_ place: Int?) throws -> [Dot] {
        let known = try place.map { try batch.knownAtHead($0) } ?? VersionVector()
        let news = batch.space.order.compactMap { index -> Dot? in
            let chain = batch.space.chains[index]
            guard index != place, chain.effective > known[chain.name] else { return nil }
            return Dot(chain.name, chain.effective)
        }
        return try minimal(news)
    }

    /// Those of the changes that lie in the past of no other.
    private func minimal(_ dots: [Dot]) throws -> [Dot] {
        guard dots.count > 1 else { return dots }
        let pasts = try dots.map { try batch.known(at: $0) }
        return dots.filter { dot in
            !zip(dots, pasts).contains { other, past in
                other != dot
                    && (past.contains(dot) || other.replica == dot.replica && other.sequence > dot.sequence)
            }
        }
    }

    private func encode(
        _ entries: [Entry], _ dependencies: [Parent], _ dot: Dot, _ label: UTF8Text, _ timestamp: Int64
    ) throws -> Prepared {
        let seed = try nextSeed()
        let change = Change(
            timestamp: timestamp, dependencies: dependencies.map(\.dependency), seed: seed,
            authorLabel: label,
            entries: entries)
        try change.checkWellFormed(space: batch.space.space, dot: dot)
        let stored = StoredChange(change)
        let bytes = stored.bytes
        guard bytes.count <= Limits.changeBytes else {
            throw ConcordError(
                .limitExceeded, "the change has \(bytes.count) bytes, \(Limits.changeBytes) are allowed")
        }
        return Prepared(dot: dot, stored: stored, dependencies: dependencies)
    }

    /// Sixteen random bytes; drawn for many changes at once, since asking takes longer than drawing.
    private func nextSeed() throws -> Bytes16 {
        if seeds.isEmpty {
            let bytes = try random(16 * Self.seedsAtOnce)
            seeds = (0..<bytes.count / 16).compactMap { Bytes16(bytes[$0 * 16..<$0 * 16 + 16]) }
        }
        guard let seed = seeds.popLast() else {
            throw ConcordError(.internalError, "the random source gave too few bytes")
        }
        return seed
    }

    private func append(_ new: Prepared, place: Int) throws -> Digest {
        let chain = batch.space.chains[place]
        precondition(new.dot == chain.head.next, "Own changes are prepared one after another.")
        let context = ChangeContext(
            space: batch.space.space, dot: new.dot, previous: chain.hash,
            dependencies: new.dependencies.map(\.hash))
        let hash = new.stored.hash(in: context)
        if unsignedBytes + new.bytes.count > Limits.signedRunBytes { try finish() }
        try batch.append(
            VerifiedChange(
                dot: new.dot, chain: chain.name, change: new.change,
                dependencies: new.dependencies.map(\.name),
                bytes: new.bytes, hash: hash, signature: nil, owner: nil))
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
