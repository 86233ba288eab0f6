// A space with honest members and one that lies: founder, keys and certificates as good as theirs. The honest run real
// stores; the enemy writes its changes by hand. Whatever it does ends with the honest holding the same, seeing the same
// and verifying.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import GRDB
import Testing

@testable import TestSupport

/// A change by name and whole hash, which is what another change depends on.
typealias Place = (dot: Dot, hash: Digest)

/// Honest members with a store each, and an enemy among them.
struct Scene: Sendable {
    let world: World
    let a: Site
    let b: Site
    let c: Site
    /// The hostile member, a founder like the others.
    let enemy: Party

    var space: SpaceID { a.space }
    var honest: [Site] { [a, b, c] }

    init(admission: UInt64 = 2, suspension: UInt64 = 2) async throws {
        world = try World("ESP", "DEU", "FRA", "XXX", admission: admission, suspension: suspension)
        (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        enemy = world.parties[3]
    }

    /// A chain of a node of the enemy, and the run that begins it.
    func enemyChain(node: String = "hq", after dependencies: [Place] = []) throws -> (HandChain, ChangeRun) {
        var chain = try HandChain(try enemy.node(node), space)
        let run = try chain.bind(after: dependencies)
        return (chain, run)
    }

    /// Gives runs to all honest stores, to each in another order and one at a time, until nothing more comes of it.
    ///
    /// - Returns: the codes of all refusals.
    @discardableResult
    func deliver(_ runs: [ChangeRun]) async throws -> Set<ErrorCode> {
        let orders = [
            runs, runs.reversed(), Array(runs.dropFirst(runs.count / 2) + runs.prefix(runs.count / 2)),
        ]
        var codes: Set<ErrorCode> = []
        for (site, order) in zip(honest, orders) {
            for _ in 0...runs.count {
                var applied = 0
                for run in order {
                    let outcome = try await site.store.receive([run], in: space)
                    applied += outcome.applied
                    if let refusal = outcome.refusal { codes.insert(refusal.code) }
                }
                if applied == 0 { break }
            }
        }
        return codes
    }

    /// Lets the honest exchange until nobody learns anything more, and checks that all see the same and verify.
    func settle(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await converge(honest, sourceLocation: sourceLocation)
    }

    /// An act with the signatures of these members, as edits of one of them.
    func signed(_ act: some FormalAct, by parties: [Party]) throws -> [SignedAct] {
        try parties.map { try SignedAct(act: act.encoded, key: $0.key) }
    }

    /// Suspends the enemy by the decision of A and B, everywhere.
    ///
    /// - Returns: the hash of the suspension.
    @discardableResult
    func suspendEnemy(keeping keeps: VersionVector) async throws -> Digest {
        let act = Suspension(space: space, subject: enemy.id, keeps: keeps, reason: "it lies", timestamp: 7)
        for party in [a.party, b.party] {
            try await a.write(.act(try SignedAct(act: act.encoded, key: party.key)))
        }
        try await settle()
        return act.hash
    }

    /// The titles that A sees, in order.
    func titles() throws -> [String] { try a.store.records(RecordQuery()).map(\.title).sorted() }
}

/// Exchanges what differs until nobody learns anything more. Runs of the enemy may wait for what was never made.
func converge(_ sites: [Site], sourceLocation: SourceLocation = #_sourceLocation) async throws {
    var learned = true
    var rounds = 0
    while learned, rounds < 100 {
        (learned, rounds) = (false, rounds + 1)
        for from in sites {
            for to in sites where from !== to {
                let known = try await from.store.compare(try to.store.held(to.space).heads, in: from.space)
                    .known
                let outcome = try await to.store.receive(try from.allRuns(excluding: known), in: to.space)
                #expect(
                    outcome.refusal == nil, "the honest refuse each other", sourceLocation: sourceLocation)
                learned = learned || outcome.applied > 0
            }
        }
    }
    try await expectEqual(sites, sourceLocation: sourceLocation)
}

extension Site {
    /// The last change of the own chain.
    func head() throws -> Place {
        let head = try #require(try store.ownHead(space))
        return (Dot(head.replica, head.sequence), head.hash)
    }

    /// A change that is held, by the name of its chain, as the database has it.
    func place(_ dot: Dot) async throws -> Place {
        let queue = try DatabaseQueue(path: path)
        let found = try await queue.read { db in
            try Data.fetchOne(
                db,
                sql: """
                    SELECT log.hash FROM log JOIN chain ON chain.id = log.chain
                    WHERE chain.name = ? AND log.sequence = ?
                    """, arguments: [Data(dot.replica.bytes), Int64(dot.sequence)])
        }
        try queue.close()
        let bytes = [UInt8](try #require(found))
        return (dot, try #require(Digest(bytes: bytes)))
    }

    /// The state of a record as it is stored, the hidden parts of merging included.
    func state(_ record: RecordID) async throws -> RecordState {
        let queue = try DatabaseQueue(path: path)
        let found = try await queue.read { db in
            try Row.fetchOne(
                db, sql: "SELECT state, json FROM record WHERE uid = ?", arguments: [Data(record.bytes)]
            ).map { (stored: $0[0] as Data, json: $0[1] as String) }
        }
        try queue.close()
        let (stored, json) = try #require(found)
        return try RecordState(stored: [UInt8](stored), json: Array(json.utf8), id: record)
    }
}

extension Site {
    /// The answer of a query for one number, 0 for none.
    func sum(_ sql: String) async throws -> Int {
        let queue = try DatabaseQueue(path: path)
        let found = try await queue.read { db in try Int.fetchOne(db, sql: sql) }
        try queue.close()
        return found ?? 0
    }
}
