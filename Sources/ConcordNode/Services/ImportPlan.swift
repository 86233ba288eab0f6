// In which order the rows of an import are written. A record must be durable before another names it, since
// its id is a function of the change that creates it; so rows go out in waves, each naming only records of
// the waves before. Everything that can be judged without the replica is judged here, before anything is
// written.

import ConcordModel
import ConcordStore

/// Rows in the waves in which they are written.
struct ImportPlan {
    /// The rows.
    let rows: [ImportRow]
    /// Indices into ``rows``: each wave in the order of its lines.
    private(set) var waves: [[Int]] = []
    private var indexOfKey: [String: Int] = [:]

    /// Plans an import.
    ///
    /// - Throws: ``ConcordError`` E-1011 that names the first line at fault.
    init(_ rows: [ImportRow]) throws {
        self.rows = rows
        for (index, row) in rows.enumerated() {
            guard let key = row.key else { continue }
            if let earlier = indexOfKey.updateValue(index, forKey: key) {
                throw ImportRow.refusal(
                    row.line, "the key “\(key.prefix(64))” is that of line \(rows[earlier].line) too")
            }
        }
        for row in rows { try check(row) }
        waves = try layers()
    }

    /// The row with this key, if there is one.
    func row(key: String) -> ImportRow? { indexOfKey[key].map { rows[$0] } }

    /// The draft of a row, once the rows that it names have ids.
    func draft(_ index: Int, ids: [String: RecordID]) throws -> Draft {
        let row = rows[index]
        let parent = try row.parent.map { try identifier($0, of: row, ids: ids) }
        var edits: [FieldEdit] = []
        for field in row.fields {
            let values = try field.contents.map { content in
                switch content {
                case .value(let value): value
                case .reference(let key):
                    Value.text(UTF8Text(try identifier(key, of: row, ids: ids).description))
                }
            }
            edits += values.map { field.isList ? .add(field.name, $0) : .set(field.name, $0) }
        }
        return [.create(kind: row.kind, parent: parent.map { .existing($0) }, fields: edits)]
    }

    private func identifier(_ name: String, of row: ImportRow, ids: [String: RecordID]) throws -> RecordID {
        if let id = ids[name] { return id }
        guard indexOfKey[name] == nil, let id = RecordID(text: name) else {
            throw ImportRow.refusal(
                row.line, "“\(name.prefix(64))” is neither a key of this import nor a record's id")
        }
        return id
    }

    /// The rows that a row names.
    private func predecessors(_ row: ImportRow) throws -> [Int] {
        var names = row.parent.map { [$0] } ?? []
        for field in row.fields {
            for case .reference(let key) in field.contents { names.append(key) }
        }
        return try names.compactMap { name in
            guard let index = indexOfKey[name] else {
                _ = try identifier(name, of: row, ids: [:])
                return nil
            }
            return index
        }
    }

    /// Kahn's algorithm, layer by layer. O(rows + references).
    private func layers() throws -> [[Int]] {
        var followers = [[Int]](repeating: [], count: rows.count)
        var missing = [Int](repeating: 0, count: rows.count)
        for (index, row) in rows.enumerated() {
            for predecessor in try predecessors(row) {
                followers[predecessor].append(index)
                missing[index] += 1
            }
        }
        var layers: [[Int]] = []
        var layer = rows.indices.filter { missing[$0] == 0 }
        var placed = 0
        while !layer.isEmpty {
            layers.append(layer)
            placed += layer.count
            var next: [Int] = []
            for index in layer {
                for follower in followers[index] {
                    missing[follower] -= 1
                    if missing[follower] == 0 { next.append(follower) }
                }
            }
            layer = next.sorted()
        }
        guard placed == rows.count else {
            let stuck = rows.indices.first { missing[$0] > 0 } ?? 0
            throw ImportRow.refusal(rows[stuck].line, "it names records that in the end name it again")
        }
        return layers
    }
}
