// Goes through the log of a space in order and believes nothing that is stored beside it: certificates,
// hashes, signatures, dependencies, roles and the effective set are derived anew from the changes alone,
// without the writer's code. The first contradiction ends it.

import ConcordCrypto
import ConcordModel
import GRDB

/// A contradiction, and where.
struct Divergence: Error {
    let code: ErrorCode
    let message: String
    var dot: Dot?
    var record: RecordID?
}

/// Checks the log of one space.
struct LogVerifier {
    /// What was derived of a chain; of a replica with branches, of each segment.
    struct NaiveChain {
        let id: Int64
        let name: ReplicaID
        let replica: ReplicaID
        let start: UInt64
        let parent: ReplicaID?
        var sequence: UInt64
        var hash: Digest
        var key: PublicKey?
        var member: MemberID?
        var node: NodeID?
        var issuer: Digest?
        /// Whether the issuer was no replaced authority by the past of the replica's first change.
        var isCertified = false
        /// What it knew of the others, from which change on.
        var growth: [(sequence: UInt64, others: VersionVector)] = []
        /// Which carriers of acts lay in its past, from which change on.
        var acts: [(sequence: UInt64, carriers: Set<Dot>)] = []
        /// The changes whose author was a member in their past, as ranges, ascending.
        var memberChanges: [ClosedRange<UInt64>] = []
        var isSigned = true

        /// The last change up to `bound` whose author was a member.
        func lastMemberChange(upTo bound: UInt64) -> UInt64? {
            memberChanges.last { $0.lowerBound <= bound }.map { min($0.upperBound, bound) }
        }
    }

    let db: Database
    let spaceRow: Int64
    let charter: Charter
    private(set) var chains: [ReplicaID: NaiveChain] = [:]
    private var names: [Int64: ReplicaID] = [:]
    /// The names of the chains of each replica.
    private var segments: [ReplicaID: [ReplicaID]] = [:]
    private(set) var endorsements: [Dot: [Endorsement]] = [:]
    private var authorities: [MemberID: [Certificate]]
    /// The entries whose values are gone, and those of which operations order it.
    var missing: Set<NaiveErasure> = []
    var ordered: Set<NaiveErasure> = []
    private(set) var changes: Int64 = 0

    private var space: SpaceID { charter.space }

    init(db: Database, spaceRow: Int64, charter: Charter) throws {
        self.db = db
        self.spaceRow = spaceRow
        self.charter = charter
        authorities = try SpaceLoader.authorities(spaceRow, charter, db)
        let sql = "SELECT id, name, replica, start, parent FROM chain WHERE space = ? ORDER BY start"
        for row in try Row.fetchAll(db, sql: sql, arguments: [spaceRow]) {
            let chain = NaiveChain(
                id: row[0], name: try row.replica(1), replica: try row.replica(2), start: row.unsigned(3),
                parent: row.optionalBytes(4).flatMap { ReplicaID(bytes: $0) }, sequence: row.unsigned(3) - 1,
                hash: Change.chainRoot(space: charter.space, replica: try row.replica(2)))
            names[row[0]] = chain.name
            chains[chain.name] = chain
            segments[chain.replica, default: []].append(chain.name)
        }
    }

    /// Checks every change, then the ends of the chains.
    mutating func run(_ progress: (Int64) -> Void) throws {
        let sql = "SELECT position, chain, sequence, hash, signature, role, bytes FROM log ORDER BY position"
        let rows = try Row.fetchCursor(db, sql: sql)
        while let row = try rows.next() {
            guard let name = names[row[1]] else { continue }
            try check(row, name)
            changes += 1
            if changes % 1000 == 0 { progress(changes) }
        }
        try checkEnds()
        try checkErasures()
        progress(changes)
    }

    /// The causal past of a change that was checked.
    func past(of dot: Dot) -> CausalPast {
        CausalPast(of: dot, others: others(of: dot))
    }

    /// The change itself, or the last one before it where the knowledge of its chain grew.
    private func others(of dot: Dot) -> VersionVector {
        let growth = chains[dot.replica]?.growth ?? []
        var (low, high) = (0, growth.count)
        while low < high {
            let middle = (low + high) / 2
            if growth[middle].sequence <= dot.sequence { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? VersionVector() : growth[low - 1].others
    }

    private func carriers(inClosedPastOf dot: Dot) -> Set<Dot> {
        let steps = chains[dot.replica]?.acts ?? []
        let step = steps.last { $0.sequence <= dot.sequence }
        return (step?.carriers ?? []).union(endorsements[dot] == nil ? [] : [dot])
    }

    private mutating func check(_ row: Row, _ name: ReplicaID) throws {
        guard var chain = chains[name] else { return }
        let dot = Dot(chain.replica, chain.sequence + 1)
        guard row.unsigned(2) == dot.sequence else {
            throw Divergence(code: .brokenChain, message: "the chain is not without gaps", dot: dot)
        }
        let change: Change
        do {
            change = try Change(encoded: row.bytes(6))
            try change.checkWellFormed(space: space, dot: dot)
        } catch {
            throw Divergence(code: .malformedChange, message: "\(error)", dot: dot)
        }
        if dot.sequence == chain.start { try begin(&chain, dot) }
        let dependencies = try change.dependencies.map { dependency in
            guard let found = try find(dependency) else {
                throw Divergence(
                    code: .missingDependency, message: "it depends on \(dependency.dot), which is not held",
                    dot: dot)
            }
            return found
        }
        let context = ChangeContext(
            space: space, dot: dot, previous: chain.hash, dependencies: dependencies.map(\.hash))
        let hash = change.hash(in: context)
        guard hash == (try row.digest(3)) else {
            throw Divergence(code: .brokenChain, message: "its hash is not the one that is stored", dot: dot)
        }
        if dot.sequence == chain.start { try checkName(chain, hash, dot) }
        learn(dependencies.map(\.name), dot.sequence, &chain)
        if dot.sequence == 1 { try bind(&chain, change, dot) }
        if let stored = row.optionalBytes(4) {
            guard let signature = Signature(bytes: stored),
                chain.key?.isValid(signature, for: hash, as: .change) == true
            else { throw Divergence(code: .badSignature, message: "its signature does not verify", dot: dot) }
            chain.isSigned = true
        } else {
            chain.isSigned = false
        }
        chain.sequence = dot.sequence
        chain.hash = hash
        let role = judge(change, &chain)
        let stored: Int64? = row[5]
        guard role.map({ Int64($0.rawValue) }) == stored else {
            throw Divergence(
                code: .verificationFailed, message: "its author's role is stored wrongly", dot: dot)
        }
        chains[name] = chain
        noteErasures(change, Dot(name, dot.sequence), isMember: role == .member)
    }

    // MARK: Places

    /// Takes over what a branch has from the chain that it leaves.
    private mutating func begin(_ chain: inout NaiveChain, _ dot: Dot) throws {
        guard let parent = chain.parent else {
            guard chain.start == 1 else {
                throw Divergence(code: .brokenChain, message: "a branch follows nothing", dot: dot)
            }
            return
        }
        let before = Dot(parent, chain.start - 1)
        guard let above = chains[parent], above.replica == chain.replica, above.sequence == before.sequence
        else {
            throw Divergence(
                code: .brokenChain, message: "a branch does not follow the end of another", dot: dot)
        }
        chain.hash = above.hash
        (chain.key, chain.member, chain.node) = (above.key, above.member, above.node)
        (chain.issuer, chain.isCertified) = (above.issuer, above.isCertified)
        chain.growth = [(chain.start, past(of: before).closedVector)]
        chain.acts = [(chain.start, carriers(inClosedPastOf: before))]
    }

    /// A chain bears its replica's id, and where there are several from one place on, that of its first change.
    private func checkName(_ chain: NaiveChain, _ hash: Digest, _ dot: Dot) throws {
        let siblings = chains.values.count {
            $0.replica == chain.replica && $0.start == chain.start && $0.parent == chain.parent
        }
        let name = siblings > 1 ? ReplicaID(branchBeginningWith: hash) : chain.replica
        guard chain.name == name, siblings > 1 || chain.start == 1 else {
            throw Divergence(code: .brokenChain, message: "its chain has the wrong name", dot: dot)
        }
    }

    /// The change of this number and mark, by its chain's name.
    private func find(_ dependency: Dependency) throws -> (name: Dot, hash: Digest)? {
        for name in segments[dependency.dot.replica] ?? [] {
            guard let chain = chains[name], chain.start <= dependency.dot.sequence else { continue }
            let name = Dot(chain.name, dependency.dot.sequence)
            if let hash = try storedHash(name), hash.mark == dependency.mark { return (name, hash) }
        }
        return nil
    }

    private func storedHash(_ dot: Dot) throws -> Digest? {
        guard let chain = chains[dot.replica], dot.sequence <= chain.sequence else { return nil }
        if dot.sequence == chain.sequence { return chain.hash }
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        return try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])?.digest(0)
    }

    /// An operation with dots by the names of chains: a dot stands for whatever bears it, on all branches.
    func named(_ operation: Operation) -> Operation {
        operation.renamed(
            { dots in
                dots.flatMap { dot in bearers(of: dot.replica, upTo: dot.sequence, from: dot.sequence) }
                    .sorted()
            },
            { vector in
                VersionVector(vector.dots.flatMap { bearers(of: $0.replica, upTo: $0.sequence, from: 1) })
            })
    }

    /// The last changes that bear numbers in this range, one of each segment of the replica.
    private func bearers(of replica: ReplicaID, upTo last: UInt64, from first: UInt64) -> [Dot] {
        (segments[replica] ?? []).compactMap { name in
            guard let chain = chains[name], chain.start <= last, chain.sequence >= first else { return nil }
            return Dot(name, min(last, chain.sequence))
        }
    }

    private func bind(_ chain: inout NaiveChain, _ change: Change, _ dot: Dot) throws {
        guard case .bind(let binding)? = change.entries.first?.operations.first,
            let certificate = try? Certificate(der: binding.certificate), certificate.purpose == .signing,
            authorities[binding.member]?.contains(where: {
                $0.publicKey.fingerprint == binding.issuer && certificate.isSigned(by: $0.publicKey)
            }) == true
        else {
            throw Divergence(
                code: .unknownReplica, message: "its certificate is not issued by a known authority", dot: dot
            )
        }
        let node = NodeID(certificate: certificate)
        guard
            chain.replica == ReplicaID(space: space, member: binding.member, node: node, nonce: binding.nonce)
        else {
            throw Divergence(code: .malformedChange, message: "its replica's id is another's", dot: dot)
        }
        (chain.key, chain.member, chain.node) = (certificate.publicKey, binding.member, node)
        chain.issuer = binding.issuer
        let entry = roster(of: chain).entry(binding.member)
        chain.isCertified =
            entry.map { $0.hasAuthority(binding.issuer) || !$0.hadAuthority(binding.issuer) } ?? true
    }

    // MARK: Judgement

    private mutating func learn(_ dependencies: [Dot], _ sequence: UInt64, _ chain: inout NaiveChain) {
        var others = chain.growth.last?.others ?? VersionVector()
        var carriers = chain.acts.last?.carriers ?? []
        let own = Dot(chain.name, sequence - 1)
        if endorsements[own] != nil { carriers.insert(own) }
        for dependency in dependencies {
            others.merge(past(of: dependency).closedVector)
            carriers.formUnion(self.carriers(inClosedPastOf: dependency))
        }
        others[chain.name] = 0
        if others != chain.growth.last?.others ?? VersionVector() { chain.growth.append((sequence, others)) }
        if carriers != chain.acts.last?.carriers ?? [] { chain.acts.append((sequence, carriers)) }
    }

    /// The roster of the past of the change that is being checked.
    private func roster(of chain: NaiveChain) -> Roster {
        let carriers = chain.acts.last?.carriers ?? []
        return Roster(charter: charter, endorsements: carriers.flatMap { endorsements[$0] ?? [] })
    }

    /// The role of the author (rules B2 and B3), and the acts of the change that are valid (rule B1).
    private mutating func judge(_ change: Change, _ chain: inout NaiveChain) -> Role? {
        let roster = roster(of: chain)
        for entry in change.entries where entry.record == nil {
            for case .act(let signed) in entry.operations {
                for (member, certificate) in signed.authorities(in: space) {
                    authorities[member, default: []].append(certificate)
                }
                if let valid = roster.endorsement(of: signed, in: space) {
                    endorsements[Dot(chain.name, chain.sequence), default: []].append(valid)
                }
            }
        }
        guard let member = chain.member, let node = chain.node, let issuer = chain.issuer, chain.isCertified,
            let entry = roster.entry(member), entry.hadAuthority(issuer), !roster.isRevoked(node, of: member),
            let role = roster.role(member)
        else { return nil }
        if role == .member {
            if let last = chain.memberChanges.last, last.upperBound + 1 == chain.sequence {
                chain.memberChanges[chain.memberChanges.count - 1] = last.lowerBound...chain.sequence
            } else {
                chain.memberChanges.append(chain.sequence...chain.sequence)
            }
        }
        return role
    }

    /// Rule B4 for an owned record: whether its owner is the author's member, or one whose records it took over, by the
    /// past of this change.
    func owns(_ member: MemberID, recordsOf owner: MemberID, at dot: Dot) -> Bool {
        if member == owner { return true }
        let carriers = chains[dot.replica]?.acts.last { $0.sequence <= dot.sequence }?.carriers ?? []
        let roster = Roster(charter: charter, endorsements: carriers.flatMap { endorsements[$0] ?? [] })
        return roster.owns(member, recordsOf: owner)
    }

    private func checkEnds() throws {
        let sql = "SELECT name, sequence, hash FROM chain WHERE space = ?"
        for row in try Row.fetchAll(db, sql: sql, arguments: [spaceRow]) {
            let name = try row.replica(0)
            guard let chain = chains[name], chain.sequence == row.unsigned(1),
                chain.hash == (try row.digest(2))
            else {
                throw Divergence(code: .brokenChain, message: "the end of chain \(name) is stored wrongly")
            }
            // Where branches follow, their signatures cover what is before them.
            let isInner = (segments[chain.replica] ?? []).contains { chains[$0]?.parent == name }
            guard chain.isSigned || isInner else {
                throw Divergence(
                    code: .badSignature, message: "the end of chain \(name) is covered by no signature",
                    dot: Dot(chain.replica, chain.sequence))
            }
        }
    }

    // MARK: The effective set (rule C)

    /// The effective set and its roster, as the least fixed point.
    func effectiveSet() -> (vector: VersionVector, roster: Roster) {
        let held = endorsements.values.flatMap { $0 }
        let restrictions = held.filter(\.act.isRestriction)
        var roster = Roster(charter: charter, permissions: [], restrictions: restrictions)
        while true {
            let cutOffs = CutOffs(roster: roster, restrictions: restrictions)
            var effective = VersionVector()
            for chain in chains.values {
                guard let member = chain.member, let node = chain.node, roster.isAdmitted(member) else {
                    continue
                }
                let cut = cutOffs.cutOff(of: chain.replica, node: node, member: member) ?? .max
                let bound = min(cut, fork(chain.replica).map { $0 - 1 } ?? .max)
                guard let last = chain.lastMemberChange(upTo: bound) else { continue }
                effective.merge(past(of: Dot(chain.name, last)).closedVector)
            }
            let counted = endorsements.filter { effective.contains($0.key) }.flatMap(\.value)
            let next = Roster(charter: charter, permissions: counted, restrictions: restrictions)
            if next == roster { return (effective, roster) }
            roster = next
        }
    }

    /// The lowest number under which a replica signed two changes.
    private func fork(_ replica: ReplicaID) -> UInt64? {
        var starts: [UInt64: Int] = [:]
        for chain in chains.values where chain.replica == replica { starts[chain.start, default: 0] += 1 }
        return starts.filter { $0.value > 1 }.keys.min()
    }
}
