// The versions of a text as people write them: the beginnings of the hashes of the edits that no other of them follows,
// joined by `+`. A version so names all that it follows, and means the same on every node that holds it.

import ConcordCrypto
import ConcordModel
import ConcordText
import GRDB

/// The versions of one text.
struct TextVersions {
    /// The version of a text without edits.
    static let empty = "0"
    /// Digits of each hash.
    static let digits = 12
    /// Digits with which a hash must begin at least.
    private static let fewestDigits = 4

    let db: Database
    /// The row of the text's record.
    let record: Int64
    /// The row of its space.
    let space: Int64
    let history: TextHistory

    // MARK: Printing

    /// How people write a version.
    static func text(_ hashes: [Digest]) -> String {
        guard !hashes.isEmpty else { return empty }
        return hashes.map(digits(of:)).sorted().joined(separator: "+")
    }

    /// How people write a version.
    static func text(_ version: [TextEditID], space: Int64, _ db: Database) throws -> String {
        text(try version.map { try hash(of: $0, space: space, db) })
    }

    /// The digits by which people know an edit.
    static func digits(of hash: Digest) -> String {
        hexadecimal(hash.bytes.prefix(digits / 2))
    }

    private static func hash(of id: TextEditID, space: Int64, _ db: Database) throws -> Digest {
        let sql = """
            SELECT log.hash FROM log JOIN chain ON chain.id = log.chain
            WHERE chain.space = ? AND chain.name = ? AND log.sequence = ?
            """
        let dot = id.dot
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [space, dot.replica.data, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        return try row.digest(0)
    }

    // MARK: Reading

    /// The edits that a version names.
    ///
    /// - Throws: ``ConcordError`` E-1020 if it is none of this text, E-1005 if several edits begin so.
    func version(_ text: String) throws -> [TextEditID] {
        if text == Self.empty { return [] }
        if text == (try Self.text(history.version, space: space, db)) { return history.version }
        let parts = text.split(separator: "+", omittingEmptySubsequences: false)
        guard parts.allSatisfy(Self.isBeginning) else {
            throw ConcordError(
                .unknownTextVersion, "“\(text.prefix(100))” is no version of a text",
                action: "write it as the text's history does, such as 1f0c9a2b7d3e")
        }
        let edits = try hashes()
        return try parts.map { part in
            let found = edits.filter { $0.digits.hasPrefix(part.lowercased()) }
            guard let first = found.first else {
                throw ConcordError(.unknownTextVersion, "the text has no version \(part) here")
            }
            guard found.count == 1 else {
                throw ConcordError(.ambiguousIdentifier, "several versions of the text begin with \(part)")
            }
            return first.id
        }
    }

    private static func isBeginning(_ part: Substring) -> Bool {
        (fewestDigits...2 * Digest.byteCount).contains(part.utf8.count)
            && part.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || (0x41...0x46).contains($0)
            }
    }

    /// All edits with the digits of their hashes: those that are written, and those that a transaction is about to.
    private func hashes() throws -> [(id: TextEditID, digits: String)] {
        var known: [TextEditID: String] = [:]
        let sql = """
            SELECT chain.name, log.sequence, log.hash FROM touch JOIN chain ON chain.id = touch.chain
            JOIN log ON log.chain = touch.chain AND log.sequence = touch.sequence WHERE touch.record = ?
            """
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [record])
        while let row = try rows.next() {
            known[TextEditID(Dot(try row.replica(0), row.unsigned(1)))] = try row.digest(2).description
        }
        var ids: [TextEditID] = []
        history.forEachEdit { id, _, _ in ids.append(id) }
        return try ids.map { id in
            (id, try known[id] ?? Self.hash(of: id, space: space, db).description)
        }
    }
}

extension Batch {
    /// The versions of a record's text.
    func versions(of work: RecordWork, _ text: TextWork) -> TextVersions {
        TextVersions(db: db, record: work.row, space: space.id, history: text.merged.history)
    }
}
