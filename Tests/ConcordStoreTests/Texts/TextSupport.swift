// What the tests of texts have in common: documents, what is written to them, and edits that no honest store makes.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordText
import Foundation
import GRDB
import Testing

@testable import TestSupport

extension Site {
    /// A new document with a body.
    func document(_ body: String, at now: Int64 = 1_000) async throws -> RecordID {
        var fields: [FieldEdit] = [.set("title", text("A document"))]
        if !body.isEmpty { fields.append(.set("body", text(body))) }
        return try await write(.create(kind: "document", fields: fields), at: now).created[0]
    }

    /// Writes the body of a document.
    @discardableResult
    func put(
        _ body: String, in document: RecordID, base: String? = nil, at now: Int64 = 1_000
    ) async throws -> WrittenChange {
        try await write(.write(document, field: "body", text: UTF8Text(body), base: base), at: now)
    }

    /// The body as it is.
    func body(of document: RecordID, at version: String? = nil) throws -> String {
        try store.text(document, space: space, at: version).text
    }

    /// The version of the body.
    func version(of document: RecordID) throws -> String { try store.text(document, space: space).version }

    /// A change as a dependency for others.
    func place(_ dot: Dot) throws -> (dot: Dot, hash: Digest) {
        let log = try store.log(LogQuery(limit: 1_000))
        let hash = try #require(log.first { $0.dot == dot.description }?.hash)
        let digest = try #require(Digest(name: hash))
        return (dot, digest)
    }

    /// One number out of the database.
    func number(_ sql: String) throws -> Int {
        try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: sql) ?? -1 }
    }

    /// Does something to the database behind the store's back.
    func meddle(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}

extension HandChain {
    /// An edit of a document's body.
    mutating func edit(
        _ document: RecordID, parents: [Dot] = [], _ runs: [(UInt64, UInt64, UInt64)], _ inserted: String,
        after dependencies: [(dot: Dot, hash: Digest)] = []
    ) throws -> ChangeRun {
        let operation = ConcordModel.Operation.edit(
            field: "body", parents: parents.sorted(),
            runs: runs.map { TextRun(position: $0.0, deleted: $0.1, inserted: $0.2) },
            inserted: UTF8Text(inserted))
        return try run(Entry(record: document, operations: [operation]), after: dependencies)
    }
}

/// The code of the error that `body` throws; nil if it throws none.
func code(_ body: () throws -> Void) -> ErrorCode? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ConcordError)?.code
    }
}
