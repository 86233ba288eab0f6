// Compares everything that a store concluded from its log with what the oracle says of the same changes.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import GRDB

@testable import TestSupport

/// A store beside the oracle.
struct StoreComparison {
    let log: StoreLog
    let store: ReplicaStore
    let space: SpaceID
    let lines: [StoreLog.Line]
    let held: OracleSet
    let view: OracleView

    init(_ log: StoreLog, _ store: ReplicaStore, _ space: SpaceID) throws {
        self.log = log
        self.store = store
        self.space = space
        lines = try log.read(store.path)
        held = log.held(lines)
        view = log.oracle.view(of: held)
    }

    /// Sentences on what differs; none if store and oracle agree.
    func differences() throws -> [String] {
        var found: [String] = []
        compareJudgement(&found)
        compareRoster(try store.roster(space), &found)
        try compareReplicas(&found)
        try log.database(store.path).read { db in
            try compareEndorsements(db, &found)
            try compareRefusals(db, &found)
            try compareRecords(db, &found)
        }
        return found
    }

    /// What the store's names for changes mean.
    private var hashOfName: [Dot: String] {
        Dictionary(
            uniqueKeysWithValues: lines.map { (Dot($0.chain, $0.sequence), $0.hash.description) })
    }

    // MARK: Changes

    private func compareJudgement(_ found: inout [String]) {
        for line in lines {
            let hash = line.hash.description
            guard let index = log.oracle.number[hash] else { continue }
            let dot = log.oracle.changes[index].dot
            let role = log.oracle.role(of: index)
            if line.role?.word != role?.rawValue {
                found.append(
                    "role of \(dot): \(line.role?.word ?? "none"), oracle \(role?.rawValue ?? "none")")
            }
            if line.isEffective != view.effective.contains(hash) {
                found.append(
                    "\(dot) is \(line.isEffective ? "effective, oracle hidden" : "hidden, oracle effective")")
            }
            let chain = log.oracle.chainName(of: index, in: held)
            if chain != line.chain.description {
                found.append("\(dot) stands in \(line.chain), oracle \(chain)")
            }
        }
    }

    private func compareReplicas(_ found: inout [String]) throws {
        let effect = log.oracle.effect(of: held)
        let forks = log.oracle.forks(in: held)
        for replica in try store.nodes(space) {
            let name = replica.replica.description
            let cut = min(
                replica.cutOff.map(Int.init(clamping:)) ?? .max,
                (replica.forkedAt.map { Int($0) - 1 }) ?? .max)
            if cut != effect.cuts[name] ?? .max {
                found.append("cut-off of \(name): \(cut), oracle \(effect.cuts[name] ?? .max)")
            }
            if replica.forkedAt.map(Int.init(clamping:)) != forks[name] {
                found.append("fork of \(name): \(replica.forkedAt ?? 0), oracle \(forks[name] ?? 0)")
            }
        }
    }

    private func compareEndorsements(_ db: Database, _ found: inout [String]) throws {
        let sql = """
            SELECT chain.name, endorsement.sequence, signer, act FROM endorsement
            JOIN chain ON chain.id = endorsement.chain
            """
        let names = hashOfName
        var stored: [String: [String]] = [:]
        for row in try Row.fetchAll(db, sql: sql) {
            guard let chain = ReplicaID(bytes: row[0] as Data) else { continue }
            let hash = names[Dot(chain, UInt64(row[1] as Int64))] ?? "?"
            let act = SHA256.hash([UInt8](row[3] as Data)).description
            stored[hash, default: []].append("\(hexadecimal(row[2] as Data)) signs \(act)")
        }
        for line in lines {
            let hash = line.hash.description
            guard let index = log.oracle.number[hash] else { continue }
            let valid = log.oracle.validActs(in: index).map { "\($0.signer) signs \($0.act.name)" }
            if Set(valid) != Set(stored[hash] ?? []) {
                let change = log.oracle.changes[index]
                found.append(
                    "acts in \(change.dot): \(stored[hash] ?? []), oracle \(valid) of \(change.signedActs)"
                )
            }
        }
    }

    private func compareRefusals(_ db: Database, _ found: inout [String]) throws {
        let names = hashOfName
        var stored: Set<[String]> = []
        let sql =
            "SELECT chain.name, refused.sequence, entry FROM refused JOIN chain ON chain.id = refused.chain"
        for row in try Row.fetchAll(db, sql: sql) {
            guard let chain = ReplicaID(bytes: row[0] as Data) else { continue }
            stored.insert([names[Dot(chain, UInt64(row[1] as Int64))] ?? "?", "\(row[2] as Int64)"])
        }
        var expected: Set<[String]> = []
        for refused in view.refused where view.effective.contains(refused[0]) {
            let place = Int(refused[1]) ?? 0
            expected.insert([refused[0], "\(log.entries[refused[0]]?[place] ?? -1)"])
        }
        for entry in stored.subtracting(expected) { found.append("refused: \(entry), oracle not") }
        for entry in expected.subtracting(stored) { found.append("not refused: \(entry), oracle refused") }
    }

    // MARK: Roster

    private func compareRoster(_ roster: Roster, _ found: inout [String]) {
        let members = Set(roster.entries.map(\.statement.id.description))
        if members != Set(view.roster.keys) {
            found.append("on the roster: \(members.sorted()), oracle \(view.roster.keys.sorted())")
        }
        let standing = log.oracle.standing(in: log.oracle.effect(of: held).effective)
        for entry in roster.entries {
            let member = entry.statement.id.description
            guard let line = view.roster[member] else { continue }
            if entry.role.word != line.role.rawValue { found.append("role of \(member): \(entry.role.word)") }
            let suspensions = entry.suspensions.map(\.description)
            if suspensions != line.suspensions {
                found.append("suspensions of \(member): \(suspensions), oracle \(line.suspensions)")
            }
            let keys = Set(entry.authorityKeys.map(\.description))
            if keys != line.keys { found.append("keys of \(member): \(keys), oracle \(line.keys)") }
            let former = Set(entry.predecessors.map(\.description))
            if former != standing.predecessors[member] ?? [] {
                found.append(
                    "predecessors of \(member): \(former), oracle \(standing.predecessors[member] ?? [])")
            }
        }
    }

    // MARK: Records

    private func compareRecords(_ db: Database, _ found: inout [String]) throws {
        let names = hashOfName
        let sql = """
            SELECT record.uid, party.member, above.uid, record.live, record.shown, record.flagged,
                record.conflicts, record.state, record.json
            FROM record JOIN party ON party.id = record.owner
            LEFT JOIN record AS above ON above.id = record.parent
            """
        var seen: Set<String> = []
        for row in try Row.fetchAll(db, sql: sql) {
            guard let record = RecordID(bytes: row[0] as Data) else { throw DatabaseError(message: "no id") }
            let state = try RecordState(
                stored: [UInt8](row[7] as Data), json: Array((row[8] as String).utf8), id: record)
            let id = state.id.description
            seen.insert(id)
            guard let record = view.records[id] else {
                found.append("record \(id) is there, for the oracle it is not")
                continue
            }
            func check<Part: Equatable>(_ part: String, _ mine: Part, _ oracle: Part) {
                if mine != oracle {
                    found.append("\(part) of \(record.kind) \(id): \(mine), oracle \(oracle)")
                }
            }
            check("kind", state.kind.string, record.kind)
            check("owner", hexadecimal(row[1] as Data), record.owner)
            let parent = (row[2] as Data?).flatMap { RecordID(bytes: $0)?.description }
            check("parent", parent, record.parent)
            check("life", row[3] as Bool, record.isLive)
            check("being shown", row[4] as Bool, record.isShown)
            check("flag", row[5] as Bool, record.isLive && !record.openDeletes.isEmpty)
            check("conflicts", Int(row[6] as Int64), record.registers.values.count { $0.count > 1 })
            check("open deletes", state.openDeletes.map { names[$0] ?? "?" }.sorted(), record.openDeletes)
            compareFields(state, record, names, check: check)
        }
        try compareTexts(db, &found)
        for id in view.records.keys where !seen.contains(id) { found.append("record \(id) is missing") }
    }

    private func compareTexts(_ db: Database, _ found: inout [String]) throws {
        let sql = "SELECT record.uid, field, utf8 FROM text JOIN record ON record.id = text.record"
        var stored: [String: String] = [:]
        for row in try Row.fetchAll(db, sql: sql) {
            let record = RecordID(bytes: row[0] as Data)?.description ?? "?"
            stored["\(record) \(row[1] as String)"] = String(decoding: row[2] as Data, as: UTF8.self)
        }
        var expected: [String: String] = [:]
        for (record, found) in view.records {
            for (field, text) in found.texts { expected["\(record) \(field)"] = text.text }
        }
        for text in Set(stored.keys).union(expected.keys).sorted() where stored[text] != expected[text] {
            found.append("text \(text): \(stored[text] ?? "none"), oracle \(expected[text] ?? "none")")
        }
    }

    private func compareFields(
        _ state: RecordState, _ record: Oracle.Record, _ names: [Dot: String],
        check: (_ part: String, _ mine: [String], _ oracle: [String]) -> Void
    ) {
        let fields = Set(state.registers.map(\.field.string)).union(record.registers.keys)
        for field in fields.sorted() {
            let mine = state.register(UTF8Text(field))?.values ?? []
            let values = record.registers[field] ?? []
            let words = mine.map { "\(names[$0.dot] ?? "?") \($0.timestamp) \($0.value.plain)" }
            let expected = values.map { "\($0.hash) \($0.timestamp) \($0.value)" }
            // Which of two values of one forked dot comes first is the affair of the store's names.
            let isOrdered = Set(values.map(\.dot)).count == values.count
            check(field, isOrdered ? words : words.sorted(), isOrdered ? expected : expected.sorted())
        }
        let texts = record.texts.sorted { $0.key < $1.key }
        check(
            "texts", state.texts.map { "\($0.field): \($0.hash)" },
            texts.map { "\($0.key): \(SHA256.hash(Array($0.value.text.utf8)))" })
        let sets = Set(state.sets.map(\.field.string)).union(record.sets.keys)
        for field in sets.sorted() {
            let mine = state.elements(UTF8Text(field)).map {
                "\($0.element.plain): \($0.adds.map { names[$0] ?? "?" }.sorted())"
            }
            let expected = (record.sets[field] ?? [:]).map { "\($0.key): \($0.value)" }
            check(field, mine.sorted(), expected.sorted())
        }
    }
}
