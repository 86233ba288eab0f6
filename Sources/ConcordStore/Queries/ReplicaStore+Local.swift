// What concerns this node alone: the peers that it met, addresses added by hand, pauses, the last backup.
// Never replicated, never part of a digest.

import ConcordModel
import Foundation
import GRDB

/// The last thing that went wrong with a peer.
public struct PeerError: Hashable, Sendable {
    /// The stable code.
    public var code: String
    /// One sentence.
    public var message: String
    /// When, in milliseconds since 1970.
    public var at: Int64

    /// An error.
    public init(code: String, message: String, at: Int64) {
        self.code = code
        self.message = message
        self.at = at
    }
}

/// A node that this one has met.
public struct KnownPeer: Hashable, Sendable {
    /// The node.
    public var node: NodeID
    /// Its member.
    public var member: MemberID
    /// Its name.
    public var name: String
    /// Where it can be reached, by its own word.
    public var addresses: [String]
    /// When it was last heard, in milliseconds since 1970; nil if never.
    public var lastHeard: Int64?
    /// The last thing that went wrong.
    public var lastError: PeerError?

    /// A peer.
    public init(
        node: NodeID, member: MemberID, name: String, addresses: [String], lastHeard: Int64? = nil,
        lastError: PeerError? = nil
    ) {
        self.node = node
        self.member = member
        self.name = name
        self.addresses = addresses
        self.lastHeard = lastHeard
        self.lastError = lastError
    }
}

/// With whom exchange is paused.
public struct PausedMembers: Hashable, Sendable {
    /// With everybody.
    public let all: Bool
    /// With these, ascending.
    public let members: [MemberID]

    /// A set of pauses.
    public init(all: Bool, members: [MemberID]) {
        self.all = all
        self.members = members
    }
}

/// The last backup that was made and verified.
public struct BackupRecord: Hashable, Sendable {
    /// When, in milliseconds since 1970.
    public let at: Int64
    /// The file; nil for one of an earlier version of the program, which did not write it down.
    public let path: String?
    /// How large it is; nil likewise.
    public let bytes: Int64?

    /// A backup.
    public init(at: Int64, path: String? = nil, bytes: Int64? = nil) {
        self.at = at
        self.path = path
        self.bytes = bytes
    }
}

extension ReplicaStore {
    /// The peers that were met, ascending by node.
    public func peers() throws -> [KnownPeer] {
        try read { reader in
            try Row.fetchAll(reader.db, sql: "SELECT * FROM peer ORDER BY node").map { row in
                var error: PeerError?
                if let code: String = row["error_code"] {
                    error = PeerError(code: code, message: row["error_message"], at: row["error_at"])
                }
                let addresses: String = row["addresses"]
                return KnownPeer(
                    node: NodeID(try row.digest(0)), member: MemberID(try row.digest(1)), name: row["name"],
                    addresses: addresses.split(separator: "\n").map(String.init), lastHeard: row["heard"],
                    lastError: error)
            }
        }
    }

    /// Writes down what is known of a peer, in place of what was.
    public func rememberPeer(_ peer: KnownPeer) async throws {
        try await writer.runLocal { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO peer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    peer.node.digest.data, peer.member.digest.data, peer.name,
                    peer.addresses.joined(separator: "\n"), peer.lastHeard, peer.lastError?.code,
                    peer.lastError?.message, peer.lastError?.at,
                ])
        }
    }

    /// Forgets a peer.
    public func forgetPeer(_ node: NodeID) async throws {
        try await writer.runLocal {
            try $0.execute(sql: "DELETE FROM peer WHERE node = ?", arguments: [node.digest.data])
        }
    }

    /// The addresses that were added by hand, ascending.
    public func manualAddresses() throws -> [String] {
        try read { try String.fetchAll($0.db, sql: "SELECT address FROM address ORDER BY address") }
    }

    /// Adds an address by hand.
    public func addAddress(_ address: String) async throws {
        try await writer.runLocal {
            try $0.execute(sql: "INSERT OR IGNORE INTO address VALUES (?)", arguments: [address])
        }
    }

    /// Removes an address that was added by hand; false if it was not there.
    @discardableResult
    public func removeAddress(_ address: String) async throws -> Bool {
        try await writer.runLocal { db in
            try db.execute(sql: "DELETE FROM address WHERE address = ?", arguments: [address])
            return db.changesCount > 0
        }
    }

    /// With whom exchange is paused.
    public func pausedMembers() throws -> PausedMembers {
        try read { reader in
            let rows = try Row.fetchAll(reader.db, sql: "SELECT member FROM paused ORDER BY member")
            let members = try rows.filter { !$0.bytes(0).isEmpty }.map { MemberID(try $0.digest(0)) }
            return PausedMembers(all: members.count < rows.count, members: members)
        }
    }

    /// Pauses or resumes exchange with a member; nil stands for everybody. Resuming everybody ends all
    /// pauses.
    public func setPaused(_ member: MemberID?, _ isPaused: Bool) async throws {
        try await writer.runLocal { db in
            let key = member?.digest.data ?? Data()
            if isPaused {
                try db.execute(sql: "INSERT OR IGNORE INTO paused VALUES (?)", arguments: [key])
            } else if member == nil {
                try db.execute(sql: "DELETE FROM paused")
            } else {
                try db.execute(sql: "DELETE FROM paused WHERE member = ?", arguments: [key])
            }
        }
    }

    /// The last backup that verified; nil if none did.
    public func backupRecord() throws -> BackupRecord? {
        try read { reader in
            guard try Self.note("backup_verified", reader.db) == Int64(1) else { return nil }
            guard let at: Int64 = try Self.note("backup_at", reader.db) else { return nil }
            return BackupRecord(
                at: at, path: try Self.note("backup_path", reader.db),
                bytes: try Self.note("backup_bytes", reader.db))
        }
    }

    /// When a copy was made that did not verify, in milliseconds since 1970; nil if a good one was made since.
    public func refusedBackup() throws -> Int64? { try read { try Self.note("backup_refused", $0.db) } }

    /// Writes down that a backup was made and verified.
    public func recordBackup(_ record: BackupRecord) async throws {
        try await write(notes: [
            ("backup_at", record.at.databaseValue), ("backup_verified", 1.databaseValue),
            ("backup_path", record.path?.databaseValue ?? .null),
            ("backup_bytes", record.bytes?.databaseValue ?? .null),
            ("backup_refused", .null),
        ])
    }

    /// Writes down that a copy was made that did not verify.
    public func recordRefusedBackup(at time: Int64) async throws {
        try await write(notes: [("backup_refused", time.databaseValue)])
    }

    private static func note<Value: DatabaseValueConvertible>(_ key: String, _ db: Database) throws -> Value?
    {
        try Value.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
    }

    private func write(notes: [(key: String, value: DatabaseValue)]) async throws {
        try await writer.runLocal { db in
            for (key, value) in notes {
                try db.execute(sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [key, value])
            }
        }
    }
}
