// The views that people query with any SQLite tool: one per kind, one column per field. They are made from
// the vocabulary, so the two cannot drift, and made anew when the vocabulary of the program is another than
// the one that they were made from. The daemon itself never queries them.

import ConcordModel
import GRDB

enum Views {
    private static let key = "views"
    /// Raised when the text of the views changes while the vocabulary stays.
    private static let form = 3

    /// Makes the views anew unless they are those of this vocabulary.
    static func refresh(_ db: Database) throws {
        let wanted = "\(form).\(Vocabulary.level)"
        let found = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        guard found != wanted else { return }
        try db.inTransaction(.immediate) {
            for name in try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'view'") {
                try db.execute(sql: "DROP VIEW \(quoted(name))")
            }
            for kind in Vocabulary.kinds { try db.execute(sql: definition(of: kind)) }
            try db.execute(sql: roster)
            try db.execute(sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [key, wanted])
            return .commit
        }
    }

    static func definition(of kind: KindDescription) -> String {
        let fields = kind.fields.map { field in
            let value = field.isText ? text(field.name) : "json_extract(record.json, '$.\(field.name)')"
            return "\(value) AS \(quoted(field.name.string))"
        }
        let parent = kind.parent.map { parent in
            [
                "(SELECT \(uuid("above.uid")) FROM record AS above WHERE above.id = record.parent) AS "
                    + quoted("\(parent)_id")
            ]
        }
        let columns =
            ["\(uuid("record.uid")) AS id", "lower(hex(space.uid)) AS space", "party.code AS owner"]
            + (parent ?? []) + fields
            + [
                "strftime('%Y-%m-%dT%H:%M:%fZ', record.updated / 1000.0, 'unixepoch') AS updated_at",
                "record.conflicts AS conflicts",
            ]
        return """
            CREATE VIEW \(quoted(kind.name.string)) AS SELECT \(columns.joined(separator: ", "))
            FROM record JOIN space ON space.id = record.space JOIN party ON party.id = record.owner
            WHERE record.kind = '\(kind.name)' AND record.shown
            """
    }

    /// What people see of a text: without what stands for erased scalars, null if nothing is left.
    private static func text(_ field: UTF8Text) -> String {
        """
        (SELECT nullif(replace(CAST(text.utf8 AS TEXT), char(65535), ''), '') FROM text
            WHERE text.record = record.id AND text.field = '\(field)')
        """
    }

    private static let roster = """
        CREATE VIEW roster AS
        SELECT lower(hex(space.uid)) AS space, standing.code, standing.name, standing.role,
            standing.suspended
        FROM standing JOIN space ON space.id = standing.space
        """

    private static func uuid(_ column: String) -> String {
        let parts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
        let pieces = parts.map { "substr(hex(\(column)), \($0.0), \($0.1))" }
        return "lower(" + pieces.joined(separator: " || '-' || ") + ")"
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }
}
