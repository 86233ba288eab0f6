// The tables of a replica and their history. `user_version` counts the migrations that were applied and
// `application_id` says that the file is a replica; both stand in the file's header, so that a file of a
// newer version, or of another program, is refused before anything in it is touched.
//
// Everything that a change causes is written in the transaction that appends it to `log`; nothing of the
// replica is kept anywhere else.

import ConcordModel
import GRDB

enum Schema {
    /// "CNCD", at offset 68 of the file.
    static let applicationID: Int32 = 0x434e_4344
    /// The first version that can be brought up to date. Before it changes or tables had other forms.
    static let oldestVersion = 4
    /// The migrations, in order: the first makes ``oldestVersion``. A migration that was released is never changed.
    static let migrations: [@Sendable (Database) throws -> Void] = [
        { try createTables($0) }, { try $0.execute(sql: blobTables) },
    ]
    /// The version that this program writes.
    static var version: Int { oldestVersion + migrations.count - 1 }

    /// Brings the database to ``version`` and the views to the vocabulary, in one transaction.
    ///
    /// - Throws: ``ConcordError`` E-5002 if the database is newer, E-5003 if it belongs to another program.
    static func migrate(_ db: Database) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let isEmpty = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_schema") == 0
        try check(version: found, application: application, isEmpty: isEmpty)
        guard found < version || isEmpty else { return }
        try db.inTransaction(.immediate) {
            for migration in migrations[(isEmpty ? 0 : found + 1 - oldestVersion)...] { try migration(db) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// Throws unless the database is a replica that can be read, perhaps after a migration; gives back its version.
    static func checkReadable(_ db: Database) throws -> Int {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        try check(version: found, application: application, isEmpty: false)
        return found
    }

    /// Throws unless the database can be read as it is.
    static func checkCurrent(_ db: Database) throws {
        let found = try checkReadable(db)
        guard found == version else {
            throw ConcordError(
                .storeFailure, "the database has the older version \(found)",
                action: "start the daemon once, which brings it up to date")
        }
    }

    /// Throws unless a file with this header may be opened.
    static func check(version found: Int, application: Int32, isEmpty: Bool) throws {
        guard application == applicationID || isEmpty && application == 0 else {
            throw ConcordError(
                .corruptDatabase, "the file is an SQLite database, but not a replica of Concord")
        }
        guard found <= version else {
            throw ConcordError(
                .newerDatabase, "the database has version \(found), this program knows up to \(version)")
        }
        guard found >= oldestVersion || isEmpty else {
            throw ConcordError(
                .storeFailure,
                "the database has version \(found), of before the format was settled, which cannot be read any more",
                action: "move the file away and join the space anew with an invite")
        }
    }

    private static func createTables(_ db: Database) throws {
        try db.execute(sql: logTables)
        try db.execute(sql: recordTables)
        try db.execute(sql: localTables)
    }

    /// - `space.terms`: the sum of the digest terms of its records.
    /// - `chain.name`, `start`, `parent`: see ``Chain``; `issuer`: the fingerprint of the authority key
    ///   that issued the node's certificate, `certified`: whether it was not replaced before the replica's first change.
    /// - `chain.epoch` is the epoch of a change that follows the head without new dependencies.
    /// - `log.position` is the place in this replica's order of arrival; `signature` is null within a run.
    /// - `log.role`: 0 member, 1 observer, null none, by the roster of the change's past (rule B3).
    /// - `knowledge`: from change `sequence` on, `chain` knew `other` up to `known` – rows only where it
    ///   grew.
    /// - `erased`: entries of changes whose values are gone; `ordered`: whether an erasure is held that says so.
    /// - `log.acts`: see ``CarriedActs``.
    /// - `epoch.carriers`: the sorted dots of the changes in a causal past that say something new of the roster, interned.
    private static let logTables = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE space (
            id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, name TEXT NOT NULL, charter BLOB NOT NULL,
            inviter BLOB, vocabulary INTEGER NOT NULL, terms BLOB NOT NULL);
        CREATE TABLE authority (
            space INTEGER NOT NULL, member BLOB NOT NULL, key BLOB NOT NULL, certificate BLOB NOT NULL,
            PRIMARY KEY (space, member, key)) WITHOUT ROWID;
        CREATE TABLE party (
            id INTEGER PRIMARY KEY, member BLOB NOT NULL UNIQUE, code TEXT NOT NULL, name TEXT NOT NULL);
        CREATE TABLE chain (
            id INTEGER PRIMARY KEY, space INTEGER NOT NULL, name BLOB NOT NULL, replica BLOB NOT NULL,
            start INTEGER NOT NULL, parent BLOB, party INTEGER NOT NULL, node BLOB NOT NULL,
            node_name TEXT NOT NULL, certificate BLOB NOT NULL, issuer BLOB NOT NULL, certified INTEGER NOT NULL,
            sequence INTEGER NOT NULL, hash BLOB NOT NULL, effective INTEGER NOT NULL, epoch INTEGER NOT NULL,
            own INTEGER NOT NULL, UNIQUE (space, name));
        CREATE TABLE log (
            position INTEGER PRIMARY KEY, chain INTEGER NOT NULL, sequence INTEGER NOT NULL,
            hash BLOB NOT NULL, signature BLOB, role INTEGER, epoch INTEGER NOT NULL, acts INTEGER NOT NULL,
            at INTEGER NOT NULL, bytes BLOB NOT NULL);
        CREATE UNIQUE INDEX log_chain ON log (chain, sequence);
        CREATE TABLE knowledge (
            chain INTEGER NOT NULL, other INTEGER NOT NULL, sequence INTEGER NOT NULL, known INTEGER NOT NULL,
            PRIMARY KEY (chain, other, sequence)) WITHOUT ROWID;
        CREATE TABLE epoch (
            space INTEGER NOT NULL, id INTEGER NOT NULL, carriers BLOB NOT NULL,
            PRIMARY KEY (space, id)) WITHOUT ROWID;
        CREATE TABLE endorsement (
            chain INTEGER NOT NULL, sequence INTEGER NOT NULL, number INTEGER NOT NULL, signer BLOB NOT NULL,
            act BLOB NOT NULL, PRIMARY KEY (chain, sequence, number)) WITHOUT ROWID;
        CREATE TABLE erased (
            chain INTEGER NOT NULL, sequence INTEGER NOT NULL, entry INTEGER NOT NULL, ordered INTEGER NOT NULL,
            PRIMARY KEY (chain, sequence, entry)) WITHOUT ROWID;
        CREATE INDEX erased_provisional ON erased (chain, sequence) WHERE NOT ordered;
        CREATE TABLE standing (
            space INTEGER NOT NULL, member BLOB NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL,
            role TEXT NOT NULL, suspended INTEGER NOT NULL, PRIMARY KEY (space, member)) WITHOUT ROWID;
        """

    /// - `record.owner` is the party that created the record; `json` holds the displayed values; `term` is
    ///   the digest term; `state` is everything that merging needs.
    /// - `touch`: which changes had effect on a record.
    /// - `refused`: entries of effective changes that the rules do not allow; `entry` is their place in the change.
    /// - `text`: the texts that merge, as they are now, with U+FFFF for each erased scalar; see ``StoredTextRows``;
    ///   `claimed`: the scalars that their edits insert.
    /// - `text_chunk`: their histories in pieces of whole edits; `first` is the piece's first event.
    private static let recordTables = """
        CREATE TABLE record (
            id INTEGER PRIMARY KEY, space INTEGER NOT NULL, uid BLOB NOT NULL, kind TEXT NOT NULL,
            owner INTEGER NOT NULL, parent INTEGER, title TEXT NOT NULL, created INTEGER NOT NULL,
            updated INTEGER NOT NULL, live INTEGER NOT NULL, shown INTEGER NOT NULL, flagged INTEGER NOT NULL,
            conflicts INTEGER NOT NULL, term BLOB NOT NULL, json TEXT NOT NULL,
            state BLOB NOT NULL);
        CREATE UNIQUE INDEX record_uid ON record (uid, space);
        CREATE INDEX record_kind ON record (kind, space, shown);
        CREATE INDEX record_parent ON record (parent) WHERE parent IS NOT NULL;
        CREATE INDEX record_attention ON record (space) WHERE conflicts > 0 OR flagged;
        CREATE TABLE touch (
            record INTEGER NOT NULL, chain INTEGER NOT NULL, sequence INTEGER NOT NULL,
            PRIMARY KEY (record, chain, sequence)) WITHOUT ROWID;
        CREATE TABLE refused (
            chain INTEGER NOT NULL, sequence INTEGER NOT NULL, entry INTEGER NOT NULL, record BLOB NOT NULL,
            reason TEXT NOT NULL, PRIMARY KEY (chain, sequence, entry)) WITHOUT ROWID;
        CREATE TABLE text (
            record INTEGER NOT NULL, field TEXT NOT NULL, version BLOB NOT NULL, edits INTEGER NOT NULL,
            events INTEGER NOT NULL, claimed INTEGER NOT NULL, utf8 BLOB NOT NULL, PRIMARY KEY (record, field));
        CREATE TABLE text_chunk (
            record INTEGER NOT NULL, field TEXT NOT NULL, first INTEGER NOT NULL, events INTEGER NOT NULL,
            bytes BLOB NOT NULL, PRIMARY KEY (record, field, first));
        CREATE VIRTUAL TABLE search USING fts5 (title, body, tokenize = 'unicode61 remove_diacritics 2');
        CREATE TABLE search_dirty (record INTEGER PRIMARY KEY);
        """

    /// What concerns this node alone and is no part of the log. In `paused` an empty member stands for all; `receipt`
    /// holds the latest receipt of each node.
    private static let localTables = """
        CREATE TABLE peer (
            node BLOB PRIMARY KEY, member BLOB NOT NULL, name TEXT NOT NULL, addresses TEXT NOT NULL,
            heard INTEGER, error_code TEXT, error_message TEXT, error_at INTEGER) WITHOUT ROWID;
        CREATE TABLE address (address TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE paused (member BLOB PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE receipt (
            space INTEGER NOT NULL, node BLOB NOT NULL, member BLOB NOT NULL, at INTEGER NOT NULL,
            bytes BLOB NOT NULL, PRIMARY KEY (space, node)) WITHOUT ROWID;
        """

    /// - `blob_record`: the file that the record of an attachment names, also a deleted one.
    /// - `blob_reference`: every record that was ever seen to name a file, for the time when it does so no more.
    /// - `blob_unused`: since when no record that is shown names a file that is held.
    private static let blobTables = """
        CREATE TABLE blob_record (
            record INTEGER PRIMARY KEY, space INTEGER NOT NULL, blob BLOB NOT NULL, size INTEGER NOT NULL);
        CREATE INDEX blob_record_blob ON blob_record (blob, space);
        CREATE TABLE blob_reference (
            blob BLOB NOT NULL, space BLOB NOT NULL, record BLOB NOT NULL,
            PRIMARY KEY (blob, space, record)) WITHOUT ROWID;
        CREATE TABLE blob_unused (blob BLOB PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
        """
}
