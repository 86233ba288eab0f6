// Opens the database file: looks at its header before SQLite may touch it, sets what must hold for every
// connection, and brings schema and views up to date.

import ConcordModel
import Foundation
import GRDB

/// The file of a replica.
struct DatabaseFile {
    let path: String

    /// Pages of the write-ahead log after which it is written back: 64 MB, measured best for bulk writing.
    private static let checkpointPages = 16_000
    /// Bytes that the write-ahead log keeps after that.
    private static let journalBytes = 64 << 20
    private static let readers = 4

    /// The pool of connections, ready for use.
    func open(_ options: ReplicaStore.Options) throws -> DatabasePool {
        // A VFS of its own has no file that could be looked at before; what its header says is checked with the schema.
        if options.vfs == nil {
            try checkHeader()
            if !options.readOnly { try create() }
        }
        let pool = try DatabasePool(path: name(options), configuration: configuration(options))
        guard !options.readOnly else {
            try pool.read { try Schema.checkCurrent($0) }
            return pool
        }
        try pool.writeWithoutTransaction { db in
            // DatabasePool has set NORMAL by now; what is acknowledged must survive a power cut.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA cache_size = -\(options.cacheBytes >> 10)")
            // What is deleted or replaced is overwritten, so that erased values are in no free page.
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(Self.checkpointPages)")
            try db.execute(sql: "PRAGMA journal_size_limit = \(Self.journalBytes)")
            try Schema.migrate(db)
            if options.beginsAnew { try db.execute(sql: "UPDATE chain SET own = 0") }
            try Views.refresh(db)
            try Rebuild.refresh(db)
        }
        return pool
    }

    /// The path as SQLite takes it.
    private func name(_ options: ReplicaStore.Options) -> String {
        options.vfs.map { "file:\(path)?vfs=\($0)" } ?? path
    }

    private func configuration(_ options: ReplicaStore.Options) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = options.readOnly
        configuration.label = "replica"
        configuration.maximumReaderCount = Self.readers
        configuration.busyMode = .timeout(10)
        let readerCache = options.cacheBytes >> 15
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -\(readerCache)")
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        return configuration
    }

    /// A new file is readable by the owner's group and nobody else; SQLite gives its companions the same
    /// mode.
    private func create() throws {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o640]
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: attributes) else {
            throw ConcordError(.unwritableHome, "the database \(path) cannot be made")
        }
    }

    /// Refuses a file that is not a replica of a known version, before anything opens it.
    func checkHeader() throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw ConcordError(.unwritableHome, "the database \(path) cannot be read")
        }
        defer { try? handle.close() }
        let header = [UInt8]((try? handle.read(upToCount: 100)) ?? Data())
        guard !header.isEmpty else { return }
        guard header.count == 100, header.starts(with: "SQLite format 3\0".utf8) else {
            throw ConcordError(.corruptDatabase, "\(path) is no SQLite database, or its head is damaged")
        }
        func word(_ offset: Int) -> UInt32 {
            header[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        let isEmpty = word(28) <= 1 && word(40) == 0
        try Schema.check(
            version: Int(word(60)), application: Int32(bitPattern: word(68)), isEmpty: isEmpty)
    }
}
