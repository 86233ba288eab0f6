// The effective roster as a table, for the SQL view `roster` and for the names that lists show.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

enum StandingTable {
    /// Writes the roster of a space, and the codes and names under which members are shown.
    static func write(_ roster: Roster, space: SpaceMemory, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM standing WHERE space = ?", arguments: [space.id])
        for entry in roster.entries {
            let statement = entry.statement
            let member = statement.id.digest.data
            try db.execute(
                sql: "INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    space.id, member, statement.code.string, statement.name.string, entry.role.word,
                    !entry.suspensions.isEmpty,
                ])
            try db.execute(
                sql: """
                    INSERT INTO party (member, code, name) VALUES (?, ?, ?)
                    ON CONFLICT (member) DO UPDATE SET code = excluded.code, name = excluded.name
                    """, arguments: [member, statement.code.string, statement.name.string])
        }
        guard let inviter = space.inviter else { return }
        let key = try Certificate(der: inviter).publicKey.fingerprint
        guard roster.entries.contains(where: { $0.hadAuthority(key) }) else { return }
        space.inviter = nil
        try db.execute(sql: "UPDATE space SET inviter = NULL WHERE id = ?", arguments: [space.id])
    }
}
