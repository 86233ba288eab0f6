// Verifies runs before the writer sees them: form, limits, the hash chain, and the one signature that covers
// a run through the chain. It works on a snapshot of the space plus an overlay of what it has verified
// itself, so a batch may hold a whole history; and it runs on a reader, beside the writer.

import ConcordCrypto
import ConcordModel
import GRDB

/// Verifies runs of one space, one after another.
struct RunVerifier {
    /// What became of a run.
    enum Verdict {
        /// Its new changes may be appended; none if all are held.
        case verified([VerifiedChange])
        /// It lacks this change.
        case lacks(Dot)
        /// The sender altered or invented something.
        case refused(ConcordError)
    }

    private let db: Database
    private let space: PublishedSpace
    private var heads: [ReplicaID: Head] = [:]
    private var hashes: [Dot: Digest] = [:]
    private var authorities: [MemberID: Certificate] = [:]

    /// Where a chain stands, with what was verified here.
    private struct Head {
        var sequence: UInt64
        var hash: Digest
        let key: PublicKey
    }

    init(db: Database, space: PublishedSpace) {
        self.db = db
        self.space = space
        authorities = space.authorities
    }

    /// Whether the change is held, or verified here.
    func isHeld(_ dot: Dot) -> Bool { sequence(of: dot.replica) >= dot.sequence }

    private func sequence(of replica: ReplicaID) -> UInt64 {
        heads[replica]?.sequence ?? space.chain(replica)?.sequence ?? 0
    }

    /// Judges a run; what it verifies counts as held for those after it.
    mutating func judge(_ run: ChangeRun) throws -> Verdict {
        do {
            return try verify(run)
        } catch let error as ConcordError where error.code != .corruptDatabase {
            return .refused(error)
        }
    }

    private mutating func verify(_ run: ChangeRun) throws -> Verdict {
        guard !run.changes.isEmpty, run.firstSequence > 0, run.firstSequence < UInt64(Int32.max) << 16 else {
            throw ConcordError(.malformedChange, "a run is empty or its numbers are out of range")
        }
        guard run.byteCount - Signature.byteCount <= Limits.runBytes else {
            throw ConcordError(
                .limitExceeded, "a run has \(run.byteCount) bytes, \(Limits.runBytes) are allowed")
        }
        let held = sequence(of: run.replica)
        guard run.firstSequence <= held + 1 else { return .lacks(Dot(run.replica, run.firstSequence - 1)) }
        let overlap = Int(min(held + 1 - run.firstSequence, UInt64(run.changes.count)))
        if let fork = try firstDifference(run, overlap: overlap) { return try judgeFork(run, from: fork) }
        guard overlap < run.changes.count else { return .verified([]) }
        return try verifyNew(run, from: overlap, previous: nil)
    }

    /// The first place within the held part of a run where it differs from what is held.
    private func firstDifference(_ run: ChangeRun, overlap: Int) throws -> Int? {
        guard overlap > 0, let chain = space.chain(run.replica) else {
            // What was verified a moment ago in the same batch is not compared again: it is the writer's to
            // skip.
            return nil
        }
        let sql = "SELECT bytes FROM log WHERE chain = ? AND sequence = ?"
        let statement = try db.cachedStatement(sql: sql)
        for index in 0..<overlap {
            let sequence = run.firstSequence + UInt64(index)
            guard sequence <= chain.sequence else { return nil }
            let row = try Row.fetchOne(statement, arguments: [chain.id, sequence.stored])
            guard let row else {
                throw damaged("change \(Dot(run.replica, sequence)) is missing from the log")
            }
            if row.bytes(0) != run.changes[index] { return index }
        }
        return nil
    }

    /// A run that differs from what is held: either its signature is good, then its author signed two
    /// different changes of one number, or it was altered on the way.
    private mutating func judgeFork(_ run: ChangeRun, from index: Int) throws -> Verdict {
        let sequence = run.firstSequence + UInt64(index)
        let previous: Digest
        if sequence == 1 {
            previous = Change.chainRoot(space: space.space, replica: run.replica)
        } else {
            guard let hash = try hash(of: Dot(run.replica, sequence - 1)) else {
                throw damaged("change \(Dot(run.replica, sequence - 1)) is missing from the log")
            }
            previous = hash
        }
        switch try verifyNew(run, from: index, previous: previous) {
        case .verified:
            throw ConcordError(
                .equivocation, "replica \(run.replica) signed two different changes of number \(sequence)")
        case let other: return other
        }
    }

    /// Verifies the part of a run from `start` on. With `previous`, it stands beside the chain and is not
    /// remembered.
    private mutating func verifyNew(_ run: ChangeRun, from start: Int, previous fork: Digest?) throws
        -> Verdict
    {
        var verified: [VerifiedChange] = []
        verified.reserveCapacity(run.changes.count - start)
        var previous = fork ?? head(run.replica)
        var key = heads[run.replica]?.key ?? space.chain(run.replica)?.key
        var own: [Dot: Digest] = [:]
        for index in start..<run.changes.count {
            let dot = Dot(run.replica, run.firstSequence + UInt64(index))
            let change = try Change(encoded: run.changes[index])
            try change.checkWellFormed(space: space.space, dot: dot)
            var dependencies: [Digest] = []
            dependencies.reserveCapacity(change.dependencies.count)
            for dependency in change.dependencies {
                guard let hash = try hash(of: dependency) else { return .lacks(dependency) }
                dependencies.append(hash)
            }
            let binding = dot.sequence == 1 ? try self.binding(change) : nil
            if let binding { key = binding.certificate.publicKey }
            let context = ChangeContext(
                space: space.space, dot: dot, previous: previous, dependencies: dependencies)
            previous = change.hash(in: context)
            own[dot] = previous
            let isLast = index == run.changes.count - 1
            verified.append(
                VerifiedChange(
                    dot: dot, change: change, bytes: run.changes[index], hash: previous,
                    signature: isLast ? run.signature : nil, binding: binding))
        }
        guard let key, key.isValid(run.signature, for: previous, as: .change) else {
            throw ConcordError(
                .badSignature,
                "the signature under changes \(run.firstSequence) to \(run.lastSequence) of replica "
                    + "\(run.replica) does not verify")
        }
        if fork == nil {
            heads[run.replica] = Head(sequence: run.lastSequence, hash: previous, key: key)
            hashes.merge(own) { _, new in new }
            for change in verified { learnAuthorities(change.change) }
        }
        return .verified(verified)
    }

    private func head(_ replica: ReplicaID) -> Digest {
        heads[replica]?.hash ?? space.chain(replica)?.hash
            ?? Change.chainRoot(space: space.space, replica: replica)
    }

    /// The hash of a change that is held or was verified here, nil if it is neither.
    private func hash(of dot: Dot) throws -> Digest? {
        if let known = hashes[dot] { return known }
        guard let chain = space.chain(dot.replica), dot.sequence <= chain.sequence else { return nil }
        if dot.sequence == chain.sequence { return chain.hash }
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        return try row.digest(0)
    }

    // MARK: Certificates

    /// Whose chain a first change begins.
    private func binding(_ change: Change) throws -> Binding {
        guard case .bind(let der)? = change.entries.first?.operations.first else {
            throw ConcordError(.malformedChange, "a replica's first change does not bind it")
        }
        let certificate: Certificate
        do {
            certificate = try Certificate(der: der)
        } catch {
            throw ConcordError(.malformedCertificate, "the certificate of a chain cannot be read: \(error)")
        }
        guard certificate.purpose == .signing else {
            throw ConcordError(.malformedCertificate, "the certificate of a chain is not made for signing")
        }
        for member in authorities.keys.sorted() {
            // By the key alone: of one key there may be several certificates, and which was met first must not matter.
            if let authority = authorities[member], certificate.isSigned(by: authority.publicKey) {
                return Binding(certificate: certificate, authority: authority)
            }
        }
        throw ConcordError(
            .unknownReplica,
            "a chain of \(certificate.subject.memberCode) begins with a certificate of an unknown authority")
    }

    private mutating func learnAuthorities(_ change: Change) {
        for entry in change.entries where entry.record == nil {
            for case .act(let signed) in entry.operations {
                guard let act = try? Act(encoded: signed.act), act.space == space.space,
                    case .admission(let admission) = act, authorities[admission.subject.id] == nil,
                    let certificate = try? Certificate(der: admission.subject.certificate)
                else { continue }
                authorities[admission.subject.id] = certificate
            }
        }
    }
}
