// What a failing disk does to the store: the error says so, whatever was being done, and nothing is half done.

import ConcordAPI
import ConcordModel
import Foundation
import GRDB
import Testing

@testable import ConcordStore
@testable import TestSupport

@Suite struct DiskFailureTests {
    /// Has a store's database not grow any more, as on a full disk; nil lets it grow again.
    private func fill(_ store: ReplicaStore, _ isFull: Bool) async throws {
        try await store.pool.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(isFull ? pages : 1 << 30)")
        }
    }

    @Test("a full disk is called by its name also where changes are received, and they can be received again")
    func receiving() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        for number in 0..<200 { _ = try await a.contact("Contact \(number)") }
        try await fill(b.store, true)
        await #expect {
            _ = try await b.store.receive(try a.allRuns(), in: b.space)
        } throws: { error in
            (error as? ConcordError)?.code == .diskFull
        }
        #expect(try b.store.held(b.space).vector.isEmpty)
        try await fill(b.store, false)
        #expect(await b.store.tryWriting())
        try await a.send(to: b)
        try await expectEqual([a, b])
    }
}
