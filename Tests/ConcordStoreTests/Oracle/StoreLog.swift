// Reads the log of a store as the oracle's changes. Only the log's own bytes are used here, and which change
// stands where; what the store concluded from them is for the comparison.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

@testable import TestSupport

/// What an oracle knows of the logs of stores of one space.
final class StoreLog {
    /// A change of a store's log, with what the store says of it.
    struct Line {
        let hash: Digest
        let chain: ReplicaID
        let replica: ReplicaID
        let sequence: UInt64
        let role: Role?
        let isEffective: Bool
    }

    private struct Origin {
        let member: MemberID
        let node: NodeID
        let issuer: Digest
    }

    let oracle: Oracle
    private let space: SpaceID
    private(set) var digests: [String: Digest] = [:]
    /// Hashes by what dependencies say of them.
    private var marked: [Dependency: Digest] = [:]
    private var origins: [Digest: Origin] = [:]
    /// Every authority key that any act or the charter shows, by member.
    private var authorities: [MemberID: [Certificate]] = [:]
    private var databases: [String: DatabaseQueue] = [:]
    private var signatures: [SignedAct: String?] = [:]
    /// The entry of each operation, by the hash of the change.
    private(set) var entries: [String: [Int]] = [:]

    init(_ charter: Charter) throws {
        space = charter.space
        let names = Vocabulary.kinds.map { ($0.name.string, $0.isOwned) }
        oracle = Oracle(
            OracleCharter(
                space: charter.space.description, founders: Set(charter.founders.map(\.id.description)),
                admission: Int(charter.admissionThreshold), suspension: Int(charter.suspensionThreshold),
                ownedKinds: Set(names.filter(\.1).map(\.0)), sharedKinds: Set(names.filter { !$0.1 }.map(\.0))
            )
        ) { hash in
            Digest(bytes: bytes(hexadecimal: hash) ?? []).map {
                ReplicaID(branchBeginningWith: $0).description
            } ?? hash
        }
        for founder in charter.founders {
            authorities[founder.id] = [try Certificate(der: founder.certificate)]
        }
    }

    /// Learns what stands in the log of a database.
    ///
    /// - Returns: its lines, in order of arrival.
    func read(_ path: String) throws -> [Line] {
        try database(path).read { db in
            let sql = """
                SELECT log.hash, chain.name, chain.replica, log.sequence, log.role,
                    log.sequence <= chain.effective, log.bytes, chain.start, chain.parent
                FROM log JOIN chain ON chain.id = log.chain ORDER BY log.position
                """
            var lines: [Line] = []
            var held: [Dot: Digest] = [:]
            for row in try Row.fetchAll(db, sql: sql) {
                let line = try Self.line(row)
                held[Dot(line.chain, line.sequence)] = line.hash
                lines.append(line)
                guard digests[line.hash.description] == nil else { continue }
                let start = UInt64(row[7] as Int64)
                let parent = (row[8] as Data?).flatMap { ReplicaID(bytes: $0) }
                let before = line.sequence > start ? line.chain : parent
                let previous = before.flatMap { held[Dot($0, line.sequence - 1)] }
                try learn(try Change(encoded: [UInt8](row[6] as Data)), line, after: previous)
            }
            return lines
        }
    }

    /// A connection of its own to a store's database.
    func database(_ path: String) throws -> DatabaseQueue {
        if let open = databases[path] { return open }
        var configuration = Configuration()
        configuration.readonly = true
        let database = try DatabaseQueue(path: path, configuration: configuration)
        databases[path] = database
        return database
    }

    private static func line(_ row: Row) throws -> Line {
        guard let hash = Digest(bytes: [UInt8](row[0] as Data)), let chain = ReplicaID(bytes: row[1] as Data),
            let replica = ReplicaID(bytes: row[2] as Data)
        else { throw ConcordError(.corruptDatabase, "a line of the log cannot be read") }
        let role = (row[4] as Int64?).flatMap { Role(rawValue: UInt64($0)) }
        return Line(
            hash: hash, chain: chain, replica: replica, sequence: UInt64(row[3] as Int64), role: role,
            isEffective: row[5])
    }

    /// What a set of lines means to the oracle.
    func held(_ lines: [Line]) -> OracleSet {
        OracleSet(lines.compactMap { oracle.number[$0.hash.description] })
    }

    // MARK: Changes

    private func learn(_ change: Change, _ line: Line, after previous: Digest?) throws {
        let dot = Dot(line.replica, line.sequence)
        let hash = line.hash.description
        digests[hash] = line.hash
        marked[Dependency(dot, hash: line.hash)] = line.hash
        var operations: [OracleOperation] = []
        var places: [Int] = []
        for (index, entry) in change.entries.enumerated() {
            for operation in entry.operations {
                if case .bind(let binding) = operation {
                    origins[line.hash] = Origin(
                        member: binding.member,
                        node: NodeID(certificate: try Certificate(der: binding.certificate)),
                        issuer: binding.issuer)
                }
                operations.append(convert(operation, entry.record))
                places.append(index)
            }
        }
        if let previous { origins[line.hash] = origins[previous] }
        guard let origin = origins[line.hash] else {
            throw ConcordError(.corruptDatabase, "change \(dot) is of an unknown replica")
        }
        entries[hash] = places
        let dependencies = try change.dependencies.map { dependency in
            guard let digest = marked[dependency] else {
                throw ConcordError(.corruptDatabase, "\(dependency) stands in the log before what it needs")
            }
            return digest.description
        }
        oracle.learn(
            OracleChange(
                hash: hash, dot: OracleDot(line.replica.description, Int(line.sequence)),
                member: origin.member.description, node: origin.node.description,
                issuer: origin.issuer.description, previous: previous?.description,
                dependencies: dependencies,
                timestamp: change.timestamp, operations: operations))
    }

    private func convert(_ operation: ConcordModel.Operation, _ record: RecordID?) -> OracleOperation {
        func names(_ dots: [Dot]) -> Set<OracleDot> { Set(dots.map(OracleDot.init)) }
        if case .act(let signed) = operation { return .act(convert(signed)) }
        guard let record = record?.description else { return .other }
        switch operation {
        case .create(let kind, let parent):
            return .create(record: record, kind: kind.string, parent: parent?.description)
        case .set(let field, let value, let dots):
            return .set(record: record, field: field.string, value: value.plain, names: names(dots))
        case .add(let field, let element, let dots):
            return .add(record: record, field: field.string, element: element.plain, names: names(dots))
        case .remove(let field, let element, let dots):
            return .remove(record: record, field: field.string, element: element.plain, names: names(dots))
        case .edit(let field, let parents, let runs, let inserted):
            let edit = OracleEdit(parents: names(parents), runs: runs, inserted: inserted?.string ?? "")
            return .edit(record: record, field: field.string, edit)
        case .delete(let seen): return .delete(record: record, seen: seen.named)
        case .restore(let dots): return .restore(record: record, names: names(dots))
        case .act, .bind, .erase, .unknown: return .other
        }
    }

    // MARK: Acts

    /// The act as the oracle sees it, with the key that verifies the signature.
    func convert(_ signed: SignedAct) -> OracleSignedAct {
        let act = try? Act(encoded: signed.act)
        let name = signed.hash.description
        guard let act, act.space == space else {
            return OracleSignedAct(OracleAct(name, .other), by: signed.signer.description, key: nil)
        }
        show(act)
        return OracleSignedAct(
            OracleAct(name, content(act)), by: signed.signer.description, key: key(of: signed))
    }

    private func show(_ act: Act) {
        let shown: (member: MemberID, der: [UInt8])
        switch act {
        case .admission(let admission): shown = (admission.subject.id, admission.subject.certificate)
        case .rotation(let rotation): shown = (rotation.subject, rotation.certificate)
        default: return
        }
        guard let certificate = try? Certificate(der: shown.der) else { return }
        authorities[shown.member, default: []].append(certificate)
    }

    private func key(of signed: SignedAct) -> String? {
        if let known = signatures[signed] { return known }
        let key = authorities[signed.signer]?.map(\.publicKey).first {
            $0.isValid(signed.signature, for: signed.hash, as: .act)
        }
        let name = key?.fingerprint.description
        // A key that is shown only later was not known to the carrier either, but may be to the next one.
        if name != nil { signatures[signed] = name }
        return name
    }

    private func content(_ act: Act) -> OracleAct.Content {
        switch act {
        case .admission(let act):
            .admit(
                subject: act.subject.id.description, as: act.role == .member ? .member : .observer,
                predecessor: act.predecessor?.description)
        case .suspension(let act): .suspend(subject: act.subject.description, keeps: act.keeps.named)
        case .reinstatement(let act):
            .reinstate(
                subject: act.subject.description, suspensions: Set(act.suspensions.map(\.description)))
        case .revocation(let act): .revoke(node: act.node.description, keeps: act.keeps.named)
        case .departure(let act):
            .leave(
                subject: act.subject.description, standing: Set(act.standing.map(\.description)),
                keeps: act.keeps.named)
        case .rotation(let act):
            .rotate(
                subject: act.subject.description, replaces: act.replaces.description,
                key: act.key.description)
        case .appointment, .endorsement, .erasure, .other: .other
        }
    }
}

extension OracleDot {
    init(_ dot: Dot) { self.init(dot.replica.description, Int(clamping: dot.sequence)) }

    /// The dot of the model. Traps unless the replica is one.
    var real: Dot {
        guard let replica = bytes(hexadecimal: replica).flatMap({ ReplicaID(bytes: $0) }) else {
            preconditionFailure("\(self) is no dot of a store")
        }
        return Dot(replica, UInt64(sequence))
    }
}

extension Value {
    /// The text, or a description of what is no text.
    var plain: String { if case .text(let text) = self { text.string } else { "\(self)" } }
}

extension VersionVector {
    /// The entries by the replicas' names.
    var named: [String: Int] {
        Dictionary(
            uniqueKeysWithValues: elements.map { ($0.replica.description, Int(clamping: $0.sequence)) })
    }

    /// The vector of these entries.
    init(named: [String: Int]) {
        self.init(named.filter { $0.value > 0 }.map { OracleDot($0.key, $0.value).real })
    }
}
