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
    /// What was derived of a chain.
    struct NaiveChain {
        let id: Int64
        let replica: ReplicaID
        var sequence: UInt64 = 0
        var hash: Digest
        var key: PublicKey?
        var member: MemberID?
        /// What it knew of the others, from which change on.
        var growth: [(sequence: UInt64, others: VersionVector)] = []
        /// Which carriers of acts lay in its past, from which change on.
        var acts: [(sequence: UInt64, carriers: Set<Dot>)] = []
        /// The last change whose author was a member in its past.
        var lastMemberChange: UInt64 = 0
        var isSigned = true
    }

    let db: Database
    let spaceRow: Int64
    let charter: Charter
    private(set) var chains: [ReplicaID: NaiveChain] = [:]
    private var replicas: [Int64: ReplicaID] = [:]
    private(set) var endorsements: [Dot: [Endorsement]] = [:]
    private var authorities: [MemberID: Certificate] = [:]
    private(set) var changes: Int64 = 0

    private var space: SpaceID { charter.space }

    init(db: Database, spaceRow: Int64, charter: Charter) throws {
        self.db = db
        self.spaceRow = spaceRow
        self.charter = charter
        for founder in charter.founders {
            authorities[founder.id] = try Certificate(der: founder.certificate)
        }
        let given = "SELECT certificate FROM authority WHERE space = ?"
        for row in try Row.fetchAll(db, sql: given, arguments: [spaceRow]) {
            let certificate = try Certificate(der: row.bytes(0))
            authorities[MemberID(authority: certificate)] = certificate
        }
        for row in try Row.fetchAll(
            db, sql: "SELECT id, replica FROM chain WHERE space = ?", arguments: [spaceRow])
        {
            let replica = try row.replica(1)
            replicas[row[0]] = replica
            chains[replica] = NaiveChain(
                id: row[0], replica: replica, hash: Change.chainRoot(space: charter.space, replica: replica))
        }
    }

    /// Checks every change, then the ends of the chains.
    mutating func run(_ progress: (Int64) -> Void) throws {
        let sql = "SELECT position, chain, sequence, hash, signature, role, bytes FROM log ORDER BY position"
        let rows = try Row.fetchCursor(db, sql: sql)
        while let row = try rows.next() {
            guard let replica = replicas[row[1]] else { continue }
            try check(row, replica)
            changes += 1
            if changes % 1000 == 0 { progress(changes) }
        }
        try checkEnds()
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

    private mutating func check(_ row: Row, _ replica: ReplicaID) throws {
        guard var chain = chains[replica] else { return }
        let dot = Dot(replica, chain.sequence + 1)
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
        var dependencies: [Digest] = []
        for dependency in change.dependencies {
            guard let hash = try storedHash(dependency) else {
                throw Divergence(
                    code: .missingDependency, message: "it depends on \(dependency), which is not held",
                    dot: dot)
            }
            dependencies.append(hash)
        }
        let context = ChangeContext(space: space, dot: dot, previous: chain.hash, dependencies: dependencies)
        let hash = change.hash(in: context)
        guard hash == (try row.digest(3)) else {
            throw Divergence(code: .brokenChain, message: "its hash is not the one that is stored", dot: dot)
        }
        if dot.sequence == 1 { try bind(&chain, change, dot) }
        if let stored = row.optionalBytes(4) {
            guard let signature = Signature(bytes: stored),
                chain.key?.isValid(signature, for: hash, as: .change) == true
            else { throw Divergence(code: .badSignature, message: "its signature does not verify", dot: dot) }
            chain.isSigned = true
        } else {
            chain.isSigned = false
        }
        learn(change, dot, &chain)
        chain.sequence = dot.sequence
        chain.hash = hash
        let role = judge(change, dot, &chain)
        let stored: Int64? = row[5]
        guard role.map({ Int64($0.rawValue) }) == stored else {
            throw Divergence(
                code: .verificationFailed, message: "its author's role is stored wrongly", dot: dot)
        }
        chains[replica] = chain
    }

    private func storedHash(_ dot: Dot) throws -> Digest? {
        guard let chain = chains[dot.replica], dot.sequence <= chain.sequence else { return nil }
        if dot.sequence == chain.sequence { return chain.hash }
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        return try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])?.digest(0)
    }

    private func bind(_ chain: inout NaiveChain, _ change: Change, _ dot: Dot) throws {
        guard case .bind(let der)? = change.entries.first?.operations.first,
            let certificate = try? Certificate(der: der), certificate.purpose == .signing,
            let authority = authorities.keys.sorted().compactMap({ authorities[$0] }).first(where: {
                certificate.isSigned(by: $0.publicKey)
            })
        else {
            throw Divergence(
                code: .unknownReplica, message: "its certificate is not issued by a known authority", dot: dot
            )
        }
        chain.key = certificate.publicKey
        chain.member = MemberID(authority: authority)
    }

    private mutating func learn(_ change: Change, _ dot: Dot, _ chain: inout NaiveChain) {
        var others = chain.growth.last?.others ?? VersionVector()
        var carriers = carriers(inClosedPastOf: Dot(dot.replica, dot.sequence - 1))
        for dependency in change.dependencies {
            others.merge(past(of: dependency).closedVector)
            carriers.formUnion(self.carriers(inClosedPastOf: dependency))
        }
        others[dot.replica] = 0
        if others != chain.growth.last?.others ?? VersionVector() {
            chain.growth.append((dot.sequence, others))
        }
        if carriers != chain.acts.last?.carriers ?? [] { chain.acts.append((dot.sequence, carriers)) }
    }

    /// The role of the author (rules B2 and B3), and the acts of the change that are valid (rule B1).
    private mutating func judge(_ change: Change, _ dot: Dot, _ chain: inout NaiveChain) -> Role? {
        let carriers = chain.acts.last?.carriers ?? []
        let roster = Roster(charter: charter, endorsements: carriers.flatMap { endorsements[$0] ?? [] })
        for entry in change.entries where entry.record == nil {
            for case .act(let signed) in entry.operations {
                if case .admission(let admission)? = try? Act(encoded: signed.act), admission.space == space,
                    let certificate = try? Certificate(der: admission.subject.certificate)
                {
                    authorities[admission.subject.id] = certificate
                }
                if let valid = roster.endorsement(of: signed, in: space) {
                    endorsements[dot, default: []].append(valid)
                }
            }
        }
        let role = chain.member.flatMap { roster.role($0) }
        if role == .member { chain.lastMemberChange = dot.sequence }
        return role
    }

    private func checkEnds() throws {
        let sql = "SELECT replica, sequence, hash FROM chain WHERE space = ?"
        for row in try Row.fetchAll(db, sql: sql, arguments: [spaceRow]) {
            let replica = try row.replica(0)
            guard let chain = chains[replica], chain.sequence == row.unsigned(1),
                chain.hash == (try row.digest(2))
            else {
                throw Divergence(code: .brokenChain, message: "the end of chain \(replica) is stored wrongly")
            }
            guard chain.isSigned else {
                throw Divergence(
                    code: .badSignature, message: "the end of chain \(replica) is covered by no signature",
                    dot: Dot(replica, chain.sequence))
            }
        }
    }

    // MARK: The effective set (rule C)

    /// The effective set and its roster, as the least fixed point.
    func effectiveSet() -> (vector: VersionVector, roster: Roster) {
        var roster = Roster(charter: charter)
        while true {
            var effective = VersionVector()
            for chain in chains.values where chain.lastMemberChange > 0 {
                guard let member = chain.member, roster.role(member) == .member else { continue }
                effective.merge(past(of: Dot(chain.replica, chain.lastMemberChange)).closedVector)
            }
            let counted = endorsements.filter { effective.contains($0.key) }.flatMap(\.value)
            let next = Roster(charter: charter, endorsements: counted)
            if next == roster { return (effective, roster) }
            roster = next
        }
    }
}
