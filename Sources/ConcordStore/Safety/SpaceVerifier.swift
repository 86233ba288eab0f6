// Verifies one space in one snapshot: the log, then the visible state recomputed from nothing and compared
// record by record with what is stored. Large spaces are folded in parts, so that memory stays bounded.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// Verifies one space.
struct SpaceVerifier {
    private static let changesPerPart: Int64 = 100_000
    private static let maximumProblems = 100

    private let db: Database
    private let row: Int64
    private let charter: Charter
    private var log: LogVerifier
    private var effective = VersionVector()
    private var roster: Roster
    /// Every record with an allowed create, and what its creations say, the one that decides first.
    private var births: [RecordID: [Birth]] = [:]
    /// The records on which a delete had effect.
    private var deleted: Set<RecordID> = []
    /// The touches of everything at or below a record that was ever deleted.
    private var touchesBelow: [RecordID: [Dot]] = [:]
    private var isLive: [RecordID: Bool] = [:]
    private var terms: [RecordID: Digest] = [:]
    private(set) var problems: [VerifyReport.Problem] = []

    private struct Birth {
        let dot: Dot
        let timestamp: Int64
        let kind: KindDescription
        let member: MemberID
        let parent: RecordID?
    }

    init(db: Database, row: Int64, charter: SignedCharter) throws {
        self.db = db
        self.row = row
        self.charter = charter.charter
        roster = Roster(charter: charter.charter)
        log = try LogVerifier(db: db, spaceRow: row, charter: charter.charter)
    }

    /// Checks everything and says what was found.
    mutating func run(_ progress: (Int64) -> Void) throws -> VerifyReport.Space {
        var digest = ""
        do {
            try log.run(progress)
            (effective, roster) = log.effectiveSet()
            try checkEffect()
            try collectBirths()
            let parts = Int(log.changes / Self.changesPerPart) + 1
            for part in 0..<parts { try fold(part, of: parts) }
            try checkVisibility()
            digest = try checkDigest().description
        } catch let divergence as Divergence {
            report(divergence)
        }
        return VerifyReport.Space(
            id: charter.space.description, digest: digest, changes: log.changes, records: Int64(births.count))
    }

    private mutating func report(_ divergence: Divergence) {
        guard problems.count < Self.maximumProblems else { return }
        problems.append(
            VerifyReport.Problem(
                code: divergence.code.rawValue, message: divergence.message, space: charter.space.description,
                dot: divergence.dot?.description, record: divergence.record?.description))
    }

    private func checkEffect() throws {
        let sql = "SELECT name, effective FROM chain WHERE space = ?"
        for row in try Row.fetchAll(db, sql: sql, arguments: [row]) {
            let replica = try row.replica(0)
            guard effective[replica] == row.unsigned(1) else {
                throw Divergence(
                    code: .verificationFailed,
                    message: "what of chain \(replica) has effect is stored wrongly")
            }
        }
    }

    // MARK: Folding

    /// Calls `body` with each change that has effect and whose author was a member, in order of arrival.
    private func eachChange(_ body: (Dot, MemberID, Change) throws -> Void) throws {
        let sql = """
            SELECT chain.name, log.sequence, log.bytes FROM log JOIN chain ON chain.id = log.chain
            WHERE chain.space = ? AND log.role = 0 ORDER BY log.position
            """
        let rows = try Row.fetchCursor(db, sql: sql, arguments: [row])
        while let row = try rows.next() {
            let dot = Dot(try row.replica(0), row.unsigned(1))
            guard effective.contains(dot), let member = log.chains[dot.replica]?.member else { continue }
            try body(dot, member, try Change(encoded: row.bytes(2)))
        }
    }

    /// Rule B4 for everything but creates.
    private func isAllowed(_ record: RecordID, _ past: CausalPast, _ member: MemberID) -> Bool {
        (births[record] ?? []).contains { birth in
            guard past.contains(birth.dot) || past.dot == birth.dot else { return false }
            return !birth.kind.isOwned || log.owns(member, recordsOf: birth.member, at: past.dot)
        }
    }

    private mutating func collectBirths() throws {
        var births: [RecordID: [Birth]] = [:]
        var deleted: Set<RecordID> = []
        try eachChange { dot, member, change in
            for entry in change.entries {
                guard let record = entry.record else { continue }
                if case .delete? = entry.operations.first { deleted.insert(record) }
                guard case .create(let kind, let parent)? = entry.operations.first,
                    let description = Vocabulary.kind(kind)
                else { continue }
                if let parent {
                    let past = log.past(of: dot)
                    let isKnown = (births[parent] ?? []).contains { $0.dot == dot || past.contains($0.dot) }
                    guard isKnown else { continue }
                }
                births[record, default: []].append(
                    Birth(
                        dot: dot, timestamp: change.timestamp, kind: description, member: member,
                        parent: parent))
            }
        }
        self.births = births.mapValues { $0.sorted { $0.dot < $1.dot } }
        self.deleted = deleted
    }

    /// Folds the records of one part and compares them with what is stored, except for what others have a say
    /// in.
    private mutating func fold(_ part: Int, of parts: Int) throws {
        var operations: [RecordID: [NaiveOperation]] = [:]
        var touches: [RecordID: [Dot]] = [:]
        try eachChange { dot, member, change in
            let past = log.past(of: dot)
            for entry in change.entries {
                guard let record = entry.record, let known = births[record],
                    entry.creates ? known.contains(where: { $0.dot == dot }) : isAllowed(record, past, member)
                else { continue }
                let made = entry.operations.map {
                    NaiveOperation(
                        past: past, timestamp: change.timestamp, operation: log.named($0))
                }
                if Int(record.value.low % UInt64(parts)) == part { operations[record, default: []] += made }
                guard part == 0 else { continue }
                let touched = NaiveRecord(id: record, parent: nil, operations: made).touches
                for above in lineage(of: record) where deleted.contains(above) {
                    touches[above, default: []] += touched
                }
            }
        }
        if part == 0 { touchesBelow = touches }
        for record in operations.keys.sorted() {
            let naive = NaiveRecord(
                id: record, parent: births[record]?.first?.parent, operations: operations[record] ?? [])
            let isLive = naive.isLive(touches: touchesBelow[record] ?? naive.touches)
            self.isLive[record] = isLive
            let texts = naive.texts
            terms[record] = naive.term(isLive: isLive, texts: texts)
            do {
                try compare(naive, texts, isLive: isLive)
            } catch let divergence as Divergence {
                report(divergence)
            }
        }
    }

    /// The record and those above it, each once.
    private func lineage(of record: RecordID) -> [RecordID] {
        var line: [RecordID] = []
        var current: RecordID? = record
        while let next = current, !line.contains(next) {
            line.append(next)
            current = births[next]?.first?.parent
        }
        return line
    }

    private func compare(_ naive: NaiveRecord, _ texts: [NaiveTextCheck], isLive: Bool) throws {
        func diverges(_ what: String) -> Divergence {
            Divergence(
                code: .verificationFailed, message: "\(what) of a record is stored wrongly", record: naive.id)
        }
        let sql = """
            SELECT kind, title, live, flagged, conflicts, term, json, state, updated, id FROM record
            WHERE uid = ? AND space = ?
            """
        let found = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [naive.id.data, row])
        guard let found, let birth = births[naive.id]?.first else { throw diverges("all") }
        guard found[0] == birth.kind.name.string else { throw diverges("the kind") }
        let term = naive.term(isLive: isLive, texts: texts)
        guard try found.digest(5) == term else { throw diverges("the visible state") }
        guard let state = try? found.recordState(7, json: 6, id: naive.id),
            state.digestTerm(isLive: isLive) == term,
            state.touched == VersionVector(naive.touches), state.created == birth.dot,
            state.covered == naive.covered
        else { throw diverges("the state for merging") }
        let times = naive.times
        guard state.createdAt == times.ofChange[birth.dot], state.updatedAt == times.latest,
            state.registers.allSatisfy({ $0.values.allSatisfy { $0.timestamp == times.ofChange[$0.dot] } })
        else { throw diverges("a time") }
        guard found[2] == isLive, found[3] == (isLive && !naive.openDeletes.isEmpty) else {
            throw diverges("the liveness")
        }
        guard found[4] == naive.registers.count(where: { $0.values.count > 1 }) else {
            throw diverges("the number of conflicts")
        }
        let display = RecordDisplay(state, kind: birth.kind)
        guard found[1] == display.title, found.bytes(6) == display.json, found[8] == state.updatedAt else {
            throw diverges("what the views show")
        }
        try compare(texts, with: state, row: found[9])
    }

    /// Compares texts and their histories with what is stored.
    private func compare(_ texts: [NaiveTextCheck], with state: RecordState, row: Int64) throws {
        func check(_ problem: String?) throws {
            guard let problem else { return }
            throw Divergence(code: .verificationFailed, message: problem, record: state.id)
        }
        try check(
            texts.map(\.state) == state.texts ? nil : "what a record says of its texts is stored wrongly")
        for text in texts { try check(try text.problem(record: row, db)) }
        let sql = "SELECT COUNT(*) FROM text WHERE record = ?"
        let stored = try Int.fetchOne(db.cachedStatement(sql: sql), arguments: [row]) ?? 0
        try check(stored == texts.count ? nil : "a text is stored that no edit made")
    }

    // MARK: The whole

    /// Rule D6, and that nothing is stored that the log does not give.
    private mutating func checkVisibility() throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT uid, shown FROM record WHERE space = ?", arguments: [row])
        while let row = try rows.next() {
            let record = try row.record(0)
            let line = lineage(of: record)
            let endsInTheOpen = line.last.flatMap { births[$0]?.first }.map { $0.parent == nil } ?? false
            let isShown = endsInTheOpen && line.allSatisfy { isLive[$0] ?? false }
            if births[record] == nil || row[1] != isShown {
                report(
                    Divergence(
                        code: .verificationFailed, message: "whether a record is shown is stored wrongly",
                        record: record))
            }
        }
    }

    /// The digest as recomputed; the sum of terms that is stored must agree with it.
    private mutating func checkDigest() throws -> Digest {
        let records = terms.values.reduce(into: DigestSum()) { $0 += $1 }
        let found = try Row.fetchOne(db, sql: "SELECT terms FROM space WHERE id = ?", arguments: [row])
        if try found?.digest(0) != records.digest {
            report(
                Divergence(
                    code: .verificationFailed, message: "the sum over the visible state is stored wrongly"))
        }
        var heads: [(dot: Dot, hash: Digest)] = []
        for element in effective.elements {
            guard let chain = log.chains[element.replica] else { continue }
            let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
            let row = try Row.fetchOne(db, sql: sql, arguments: [chain.id, element.sequence.stored])
            guard let row else { throw damaged("an effective change is missing from the log") }
            heads.append((Dot(chain.replica, element.sequence), try row.digest(0)))
        }
        return SpaceDigest.combine(
            records: records, roster: SpaceDigest.rosterTerm(roster),
            effect: PublishedSpace.hash(heads.sorted { ($0.dot, $0.hash) < ($1.dot, $1.hash) }))
    }
}
