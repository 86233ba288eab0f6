// Plays a history that was made by hand for the oracle in real stores: every abstract change becomes a signed
// one, and stores that take them in in different orders must come to what the oracle says.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

/// The changes of a scene as real ones.
///
/// A real replica begins with its binding, so every sequence is one higher. A charter takes no suspension by
/// one member; where a scene does, a founder of whom it knows nothing signs every suspension too.
struct StoreScene {
    private static let second = "second signer"
    private static let merge = Entry(
        record: nil, operations: [.unknown(header: [0x81, 0x0a], value: [0x80])])

    let scene: OracleScene
    let charter: SignedCharter
    private(set) var runs: [ChangeRun] = []
    /// The hashes of the real changes by those of the scene's.
    private(set) var hashes: [String: Digest] = [:]
    private let parties: [String: Party]
    private let hands: [String: StoreHand]
    private var keys: [String: PrivateKey] = [:]
    private var certificates: [String: Certificate] = [:]
    private var acts: [String: (number: Int, act: OracleAct)] = [:]
    private var records: [String: RecordID] = [:]

    var space: SpaceID { charter.charter.space }
    func id(_ member: String) -> String? { parties[member]?.id.description }

    init(_ scene: OracleScene) throws {
        self.scene = scene
        let old = scene.oracle.charter
        var parties: [String: Party] = [:]
        for name in Self.members(scene) { parties[name] = try Party(name, name) }
        let founders = try (old.founders.sorted() + (old.suspension == 1 ? [Self.second] : [])).map {
            try MemberStatement(authority: parties[$0]!.authority)
        }
        charter = try SignedCharter(
            charter: Charter(
                name: "Scene", timestamp: 1, founders: founders, admissionThreshold: UInt64(old.admission),
                suspensionThreshold: UInt64(max(2, old.suspension))),
            key: parties[old.founders.sorted()[0]]!.key)
        let space = charter.charter.space
        var hands: [String: StoreHand] = [:]
        for change in scene.oracle.changes where hands[change.replica] == nil {
            let issuer = try parties[change.issuer] ?? Party("NEW", change.issuer)
            if parties[change.issuer] == nil {
                (keys[change.issuer], certificates[change.issuer]) = (issuer.key, issuer.authority)
            }
            parties[change.issuer] = issuer
            hands[change.replica] = try StoreHand(
                try issuer.node(change.node), of: parties[change.member]!.id, space)
        }
        (self.parties, self.hands) = (parties, hands)
        for (name, party) in parties { keys[name] = party.key }
        for signed in scene.oracle.changes.flatMap(\.signedActs) where acts[signed.act.name] == nil {
            acts[signed.act.name] = (acts.count + 1, signed.act)
        }
        for change in scene.oracle.changes { try add(change) }
    }

    /// Everybody of whom the scene speaks.
    private static func members(_ scene: OracleScene) -> Set<String> {
        var members = scene.oracle.charter.founders.union([second])
        for change in scene.oracle.changes {
            members.insert(change.member)
            for signed in change.signedActs {
                members.insert(signed.signer)
                if case .admit(let subject, _, let predecessor) = signed.act.content {
                    members.formUnion([subject, predecessor].compactMap { $0 })
                }
            }
        }
        return members
    }

    // MARK: Changes

    private mutating func add(_ change: OracleChange) throws {
        let hand = hands[change.replica]!
        var previous = change.previous.flatMap { hashes[$0] }.map {
            (dot: Dot(hand.replica, UInt64(change.dot.sequence)), hash: $0)
        }
        var dependencies = change.dependencies.map { dependency in
            (dot: real(scene.oracle.change(dependency)!.dot), hash: hashes[dependency]!)
        }
        if previous == nil {
            let (run, hash) = try hand.run(
                [hand.binding], after: nil, dependencies: dependencies, at: 1, label: "bind")
            runs.append(run)
            previous = (Dot(hand.replica, 1), hash)
            dependencies = []
        }
        let entries = try entries(change)
        let others = scene.oracle.changes.filter { $0.dot == change.dot && $0.previous == change.previous }
            .compactMap { hashes[$0.hash] }.map(ReplicaID.init(branchBeginningWith:))
        // Of two branches the later one is to have the lower name, which decides what a record is.
        for attempt in 0..<10_000 {
            let (run, hash) = try hand.run(
                entries, after: previous, dependencies: dependencies, at: change.timestamp,
                label: "\(change.hash) \(attempt)")
            let name = ReplicaID(branchBeginningWith: hash)
            guard others.allSatisfy({ name < $0 }) else { continue }
            runs.append(run)
            hashes[change.hash] = hash
            return
        }
        preconditionFailure("a name below the others is found soon")
    }

    private func real(_ dot: OracleDot) -> Dot { Dot(hands[dot.replica]!.replica, UInt64(dot.sequence + 1)) }

    private mutating func entries(_ change: OracleChange) throws -> [Entry] {
        var entries: [(record: RecordID?, operations: [ConcordModel.Operation])] = []
        for operation in change.operations {
            if case .act(let signed) = operation {
                entries.append((nil, try carry(signed).map { .act($0) }))
                continue
            }
            guard let name = operation.record else { continue }
            if case .create(_, let kind, _) = operation {
                records[name] = RecordID(
                    space: space, kind: Self.kind(kind), dot: real(change.dot), index: entries.count,
                    timestamp: change.timestamp)
            }
            let converted = convert(operation)
            if let index = entries.firstIndex(where: { $0.record == records[name] }) {
                entries[index].operations.append(converted)
            } else {
                entries.append((records[name], [converted]))
            }
        }
        return entries.isEmpty
            ? [Self.merge] : entries.map { Entry(record: $0.record, operations: $0.operations) }
    }

    private static func kind(_ kind: String) -> UTF8Text { kind == "item" ? "agenda_item" : UTF8Text(kind) }

    private func convert(_ operation: OracleOperation) -> ConcordModel.Operation {
        func dots(_ names: Set<OracleDot>) -> [Dot] {
            names.filter { hands[$0.replica] != nil }.map(real).sorted()
        }
        switch operation {
        case .create(_, let kind, let parent):
            // A parent that is created nowhere yet is created in the scene all the same: by its name's later
            // use.
            return .create(kind: Self.kind(kind), parent: parent.flatMap { records[$0] })
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
        case .delete(_, let seen): return .delete(seen: vector(seen))
        case .restore(_, let names): return .restore(deletes: dots(names))
        case .act, .other: preconditionFailure("such an operation stands on no record")
        }
    }

    private func vector(_ keeps: [String: Int]) -> VersionVector {
        VersionVector(
            keeps.filter { $0.value > 0 && hands[$0.key] != nil }.map { real(OracleDot($0.key, $0.value)) })
    }

    // MARK: Acts

    private mutating func carry(_ signed: OracleSignedAct) throws -> [SignedAct] {
        let bytes = try bytes(of: signed.act)
        // What verifies with no key of the signer is signed with somebody else's.
        let key = try signed.key.map { try authority($0).key } ?? parties[Self.second]!.key
        var all = [try SignedAct(act: bytes, signer: parties[signed.signer]!.id, key: key)]
        if case .suspend = signed.act.content, scene.oracle.charter.suspension == 1 {
            all.append(try SignedAct(act: bytes, key: parties[Self.second]!.key))
        }
        return all
    }

    /// The authority of this name: a member's founding key, or one that came later.
    private mutating func authority(_ name: String) throws -> (key: PrivateKey, certificate: Certificate) {
        if let party = parties[name] { return (party.key, party.authority) }
        if let key = keys[name], let certificate = certificates[name] { return (key, certificate) }
        let party = try Party("NEW", name)
        (keys[name], certificates[name]) = (party.key, party.authority)
        return (party.key, party.authority)
    }

    private mutating func hash(_ act: String) throws -> Digest {
        if act == scene.oracle.charter.space { return space.digest }
        return SHA256.hash(try bytes(of: acts[act]!.act))
    }

    private mutating func bytes(of act: OracleAct) throws -> [UInt8] {
        let at = Int64(acts[act.name]?.number ?? 0)
        switch act.content {
        case .admit(let subject, let role, let predecessor):
            return Admission(
                space: space, subject: try MemberStatement(authority: parties[subject]!.authority),
                role: role == .member ? .member : .observer, predecessor: predecessor.map { parties[$0]!.id },
                timestamp: at
            ).encoded
        case .suspend(let subject, let keeps):
            return Suspension(
                space: space, subject: parties[subject]!.id, keeps: vector(keeps), reason: "", timestamp: at
            ).encoded
        case .reinstate(let subject, let suspensions):
            return Reinstatement(
                space: space, subject: parties[subject]!.id,
                suspensions: try suspensions.map { try hash($0) },
                timestamp: at
            ).encoded
        case .revoke(let node, let keeps):
            let real = NodeID(certificate: hands[node]!.signer.certificate)
            return Revocation(space: space, node: real, keeps: vector(keeps), reason: "", timestamp: at)
                .encoded
        case .leave(let subject, let standing, let keeps):
            return Departure(
                space: space, subject: parties[subject]!.id, standing: try standing.map { try hash($0) },
                keeps: vector(keeps), timestamp: at
            ).encoded
        case .rotate(let subject, let replaces, let key):
            return try Rotation(
                space: space, subject: parties[subject]!.id,
                replaces: try authority(replaces).key.publicKey.fingerprint,
                certificate: try authority(key).certificate.der, key: try authority(key).key, timestamp: at
            ).encoded
        case .other: preconditionFailure("such an act is in no scene")
        }
    }
}

extension OracleScene {
    /// Checks that stores which take in the scene's changes in several orders come to what the oracle says.
    ///
    /// - Returns: what the oracle says of the real changes.
    @discardableResult
    func confirm(sourceLocation: SourceLocation = #_sourceLocation) async throws -> OracleView {
        let real = try StoreScene(self)
        let log = try StoreLog(real.charter.charter)
        var dice = HistoryDice(UInt64(oracle.changes.count))
        var digests: Set<Digest> = []
        var last = view
        for order in 0..<2 {
            let site = try await Site(try Party("OWN", "own"), real.charter)
            for round in 0..<4 where try site.store.counts(site.space).changes < real.runs.count {
                let runs = order == 0 || round == 3 ? real.runs : real.runs.shuffled(using: &dice)
                for run in runs {
                    let refusal = try await site.store.receive([run], in: site.space).refusal
                    #expect(
                        refusal == nil || refusal?.code == .unknownReplica, sourceLocation: sourceLocation)
                }
            }
            #expect(try log.read(site.path).count == real.runs.count, sourceLocation: sourceLocation)
            let comparison = try StoreComparison(log, site.store, site.space)
            #expect(try comparison.differences() == [], sourceLocation: sourceLocation)
            for (member, word) in view.words {
                #expect(comparison.view.words[real.id(member) ?? ""] == word, sourceLocation: sourceLocation)
            }
            for change in oracle.changes {
                let hash = real.hashes[change.hash]?.description ?? ""
                #expect(
                    comparison.view.effective.contains(hash) == view.effective.contains(change.hash),
                    "\(change.dot)", sourceLocation: sourceLocation)
            }
            #expect(try await site.store.verify().problems == [], sourceLocation: sourceLocation)
            last = comparison.view
            digests.insert(try await site.store.digest(site.space))
        }
        #expect(digests.count == 1, sourceLocation: sourceLocation)
        return last
    }
}
