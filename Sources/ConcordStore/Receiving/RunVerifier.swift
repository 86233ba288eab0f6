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
        /// Its author signed two changes of one number: this is another branch than what is held.
        case branch(VerifiedBranch)
        /// It lacks this change.
        case lacks(Dependency)
        /// Under a number that it builds upon another change of this replica is held: the sender must hold another
        /// branch, and has not sent where it begins.
        case disputed(ReplicaID)
        /// The sender altered or invented something.
        case refused(ConcordError)
    }

    /// A change that is looked for.
    enum Finding {
        /// It is held, under this name.
        case held(Dot, hash: Digest)
        /// Nothing of this number is held.
        case absent
        /// Another change of this number is held.
        case other
    }

    /// What was verified and counts as held, though it may not be written yet.
    struct Overlay: Sendable {
        fileprivate var heads: [ReplicaID: Head] = [:]
        fileprivate var hashes: [Dot: Digest] = [:]
        fileprivate var authorities: [MemberID: [Certificate]] = [:]
        /// Hashes beyond which those are let go that are written by now.
        private static let manyHashes = 1 << 13

        fileprivate mutating func forgetWritten(_ space: PublishedSpace) {
            guard hashes.count > Self.manyHashes else { return }
            hashes = hashes.filter { $0.key.sequence > space.chain($0.key.replica)?.sequence ?? 0 }
        }
    }

    private let db: Database
    private let space: PublishedSpace
    private(set) var overlay: Overlay
    /// Other forms of changes that are held in a provisional one; whether they have more to give is not judged here.
    private(set) var restored: [(dot: Dot, bytes: [UInt8])] = []

    /// Where a chain stands, with what was verified here.
    fileprivate struct Head: Sendable {
        let start: UInt64
        var sequence: UInt64
        let key: PublicKey
    }

    init(db: Database, space: PublishedSpace, overlay: Overlay = Overlay()) {
        self.db = db
        self.space = space
        self.overlay = overlay
        self.overlay.forgetWritten(space)
    }

    /// Whether the change is held, or verified here.
    func isHeld(_ wanted: Dependency) throws -> Bool {
        if case .held = try find(wanted.dot, mark: wanted.mark) { true } else { false }
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
        try checkSize(run)
        var place: Place
        if run.firstSequence == 1 {
            place = Place(change: nil, hash: Change.chainRoot(space: space.space, replica: run.replica))
            guard place.hash.mark == run.previous else {
                throw ConcordError(.malformedChange, "a first run does not follow from the root of its chain")
            }
        } else {
            let before = Dot(run.replica, run.firstSequence - 1)
            switch try find(before, mark: run.previous) {
            case .held(let dot, let hash): place = Place(change: dot, hash: hash)
            case .absent: return .lacks(Dependency(before, mark: run.previous))
            case .other: return .disputed(run.replica)
            }
        }
        var index = 0
        while index < run.changes.count {
            let followers = try followers(of: place, in: run.replica, run.firstSequence + UInt64(index))
            guard !followers.isEmpty else {
                return try verifyNew(run, from: index, after: place, isBranch: false)
            }
            if let same = try followers.first(where: { try bytes(of: $0.change) == run.changes[index] }) {
                place = same
            } else {
                switch try hash(of: run, index, after: place.hash) {
                case .hash(let hash):
                    guard let same = followers.first(where: { $0.hash == hash }) else {
                        return try verifyNew(run, from: index, after: place, isBranch: true)
                    }
                    place = same
                    restore(same.change, from: run.changes[index])
                case .not(let verdict): return verdict
                }
            }
            index += 1
        }
        return .verified([])
    }

    /// A run has its limit without the hashes that stand in erased changes: what was erased must not stop it.
    private func checkSize(_ run: ChangeRun) throws {
        guard run.byteCount - Signature.byteCount > Limits.runBytes else { return }
        let counted = try run.changes.reduce(0) { try $0 + Change(encoded: $1).countedBytes($1.count) }
        guard counted > Limits.runBytes else { return }
        throw ConcordError(.limitExceeded, "a run has \(counted) bytes, \(Limits.runBytes) are allowed")
    }

    // MARK: What is held

    /// Keeps another form of a change that is held, if values are missing there without an order.
    private mutating func restore(_ held: Dot?, from bytes: [UInt8]) {
        guard let held, let first = space.provisional[held.replica], held.sequence >= first,
            held.sequence <= space.chain(held.replica)?.sequence ?? 0
        else { return }
        restored.append((held, bytes))
    }

    /// A change that is held, by name, or the root of a chain.
    private struct Place {
        let change: Dot?
        let hash: Digest
    }

    /// The change of this number and mark of a replica.
    func find(_ dot: Dot, mark: Bytes16) throws -> Finding {
        var isOther = false
        for (name, start, sequence) in extents(of: dot.replica)
        where dot.sequence >= start && dot.sequence <= sequence {
            let named = Dot(name, dot.sequence)
            let hash = try hash(of: named)
            if hash.mark == mark { return .held(named, hash: hash) }
            isOther = true
        }
        return isOther ? .other : .absent
    }

    /// The segments of a replica, with what was verified here.
    private func extents(of replica: ReplicaID) -> [(name: ReplicaID, start: UInt64, sequence: UInt64)] {
        let segments = space.segments(replica)
        guard !segments.isEmpty else {
            // What is held under this name then is a branch of another replica.
            guard space.chain(replica) == nil else { return [] }
            return overlay.heads[replica].map { [(replica, $0.start, $0.sequence)] } ?? []
        }
        return segments.map { ($0.name, $0.start, max(overlay.heads[$0.name]?.sequence ?? 0, $0.sequence)) }
    }

    /// The changes that follow a place: one, or none at the end of a chain, or several at a fork.
    private func followers(of place: Place, in replica: ReplicaID, _ sequence: UInt64) throws -> [Place] {
        var found: [Place] = []
        for (name, start, last) in extents(of: replica) where sequence >= start && sequence <= last {
            let follows =
                if let before = place.change {
                    name == before.replica || start == sequence && space.chain(name)?.parent == before.replica
                } else {
                    start == 1
                }
            if follows {
                found.append(Place(change: Dot(name, sequence), hash: try hash(of: Dot(name, sequence))))
            }
        }
        return found
    }

    /// The hash of a change that is held or was verified here.
    private func hash(of dot: Dot) throws -> Digest {
        if let known = overlay.hashes[dot] { return known }
        guard let chain = space.chain(dot.replica) else { throw damaged("a chain is missing") }
        if dot.sequence == chain.sequence { return chain.hash }
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        return try row.digest(0)
    }

    /// The stored form of a change that is held; nil for one that was only verified here.
    private func bytes(of dot: Dot?) throws -> [UInt8]? {
        guard let dot, let chain = space.chain(dot.replica), dot.sequence <= chain.sequence else {
            return nil
        }
        let sql = "SELECT bytes FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        return row.bytes(0)
    }

    // MARK: What is new

    private enum Hashed {
        case hash(Digest)
        case not(Verdict)
    }

    /// The hash that a change of a run has after this predecessor.
    private func hash(of run: ChangeRun, _ index: Int, after previous: Digest) throws -> Hashed {
        let stored = try StoredChange(encoded: run.changes[index])
        let change = stored.change
        let dot = Dot(run.replica, run.firstSequence + UInt64(index))
        // A form with more values than the one that is held may break a rule that cannot be seen in that one.
        try change.checkWellFormed(space: space.space, dot: dot)
        switch try resolve(change.dependencies) {
        case .not(let verdict): return .not(verdict)
        case .resolved(let dependencies):
            let context = ChangeContext(
                space: space.space, dot: dot, previous: previous, dependencies: dependencies.map(\.hash))
            return .hash(stored.hash(in: context))
        }
    }

    private enum Resolved {
        case resolved([(name: Dot, hash: Digest)])
        case not(Verdict)
    }

    private func resolve(_ dependencies: [Dependency]) throws -> Resolved {
        var resolved: [(name: Dot, hash: Digest)] = []
        resolved.reserveCapacity(dependencies.count)
        for dependency in dependencies {
            switch try find(dependency.dot, mark: dependency.mark) {
            case .held(let name, let hash): resolved.append((name, hash))
            case .absent: return .not(.lacks(dependency))
            case .other: return .not(.disputed(dependency.dot.replica))
            }
        }
        return .resolved(resolved)
    }

    /// Verifies the part of a run from `start` on, which follows `place`.
    private mutating func verifyNew(
        _ run: ChangeRun, from start: Int, after place: Place, isBranch: Bool
    ) throws -> Verdict {
        var verified: [VerifiedChange] = []
        verified.reserveCapacity(run.changes.count - start)
        var previous = place.hash
        var chain = place.change?.replica ?? run.replica
        var key = place.change.flatMap { overlay.heads[$0.replica]?.key ?? space.chain($0.replica)?.key }
        for index in start..<run.changes.count {
            let dot = Dot(run.replica, run.firstSequence + UInt64(index))
            let stored = try StoredChange(encoded: run.changes[index])
            let change = stored.change
            try change.checkWellFormed(space: space.space, dot: dot)
            let dependencies: [(name: Dot, hash: Digest)]
            switch try resolve(change.dependencies) {
            case .resolved(let found): dependencies = found
            case .not(let verdict): return verdict
            }
            let owner = dot.sequence == 1 ? try self.owner(change, of: run.replica) : nil
            if let owner { key = owner.certificate.publicKey }
            let context = ChangeContext(
                space: space.space, dot: dot, previous: previous, dependencies: dependencies.map(\.hash))
            previous = stored.hash(in: context)
            if isBranch, index == start { chain = ReplicaID(branchBeginningWith: previous) }
            let isLast = index == run.changes.count - 1
            verified.append(
                VerifiedChange(
                    dot: dot, chain: chain, change: change, dependencies: dependencies.map(\.name),
                    bytes: run.changes[index], hash: previous, signature: isLast ? run.signature : nil,
                    fresh: FreshRecord.all(of: change, Dot(chain, dot.sequence)), owner: owner))
        }
        guard let key, key.isValid(run.signature, for: previous, as: .change) else {
            throw ConcordError(
                .badSignature,
                "the signature under changes \(run.firstSequence) to \(run.lastSequence) of replica "
                    + "\(run.replica) does not verify")
        }
        guard !isBranch else {
            return .branch(VerifiedBranch(replica: run.replica, predecessor: place.change, changes: verified))
        }
        remember(verified, of: chain, key)
        return .verified(verified)
    }

    private mutating func remember(_ verified: [VerifiedChange], of chain: ReplicaID, _ key: PublicKey) {
        for new in verified {
            overlay.hashes[Dot(chain, new.dot.sequence)] = new.hash
            let start = overlay.heads[chain]?.start ?? space.chain(chain)?.start ?? 1
            overlay.heads[chain] = Head(start: start, sequence: new.dot.sequence, key: key)
            learnAuthorities(new.change)
        }
    }

    // MARK: Certificates

    /// Whose replica a first change begins.
    private func owner(_ change: Change, of replica: ReplicaID) throws -> ChainOwner {
        guard case .bind(let binding)? = change.entries.first?.operations.first else {
            throw ConcordError(.malformedChange, "a replica's first change does not bind it")
        }
        let certificate: Certificate
        do {
            certificate = try Certificate(der: binding.certificate)
        } catch {
            throw ConcordError(.malformedCertificate, "the certificate of a chain cannot be read: \(error)")
        }
        guard certificate.purpose == .signing else {
            throw ConcordError(.malformedCertificate, "the certificate of a chain is not made for signing")
        }
        let owner = ChainOwner(certificate: certificate, member: binding.member, issuer: binding.issuer)
        guard
            replica
                == ReplicaID(space: space.space, member: owner.member, node: owner.node, nonce: binding.nonce)
        else {
            throw ConcordError(
                .malformedChange, "the id of a replica does not follow from member, node and nonce")
        }
        // By the key alone: of one key there may be several certificates, and which was met first must not matter.
        let issuer = authorities(of: owner.member).first { $0.publicKey.fingerprint == owner.issuer }
        guard let issuer, certificate.isSigned(by: issuer.publicKey) else {
            throw ConcordError(
                .unknownReplica,
                "a chain of \(certificate.subject.memberCode) begins with a certificate of an unknown authority"
            )
        }
        return owner
    }

    private mutating func learnAuthorities(_ change: Change) {
        for entry in change.entries where entry.record == nil {
            for case .act(let signed) in entry.operations {
                for (member, certificate) in signed.authorities(in: space.space)
                where !authorities(of: member).contains(where: { $0.publicKey == certificate.publicKey }) {
                    overlay.authorities[member, default: []].append(certificate)
                }
            }
        }
    }

    private func authorities(of member: MemberID) -> [Certificate] {
        (space.authorities[member] ?? []) + (overlay.authorities[member] ?? [])
    }
}
