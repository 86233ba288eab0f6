// The statements through which almost everything passes that a batch writes, looked up once for the batch.

import GRDB

/// Prepared statements of a batch.
struct BatchStatements {
    let insertLog: Statement
    let findRecord: Statement
    let insertRecord: Statement
    let updateRecord: Statement
    let insertTouch: Statement
    let markSearch: Statement

    init(_ db: Database) throws {
        insertLog = try db.cachedStatement(sql: "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        findRecord = try db.cachedStatement(
            sql: "SELECT \(RecordWork.columns) FROM record WHERE uid = ? AND space = ?")
        insertRecord = try db.cachedStatement(
            sql: "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        updateRecord = try db.cachedStatement(
            sql: "UPDATE record SET title = ?, updated = ?, term = ?, json = ?, state = ? WHERE id = ?")
        insertTouch = try db.cachedStatement(sql: "INSERT OR IGNORE INTO touch VALUES (?, ?, ?)")
        markSearch = try db.cachedStatement(sql: "INSERT OR IGNORE INTO search_dirty VALUES (?)")
    }
}
