// What is wrong with a row as such: everything that the vocabulary and the other rows can tell. An import is
// checked whole before its first record is written, so that a mistake in the last line costs nothing.

import ConcordModel

extension ImportPlan {
    /// Throws E-1011 for a row that the store would refuse whatever it holds.
    func check(_ row: ImportRow) throws {
        guard let kind = Vocabulary.kind(row.kind) else {
            let known = Vocabulary.kinds.map(\.name.string).joined(separator: ", ")
            throw ImportRow.refusal(
                row.line, "there is no kind “\(row.kind.string.prefix(64))”; known are \(known)")
        }
        for field in row.fields { try Self.check(field, of: row, kind: kind) }
        for field in kind.fields where field.isRequired && !Self.writes(field, row) {
            throw ImportRow.refusal(row.line, "a \(kind.name) needs the field “\(field.name)”")
        }
        try checkParent(of: row, kind: kind)
        try Self.checkSize(of: row, kind: kind)
    }

    /// The rows that are to stand under records that exist already, and the kind of those.
    var parentsOutside: [(line: Int, record: RecordID, kind: UTF8Text)] {
        rows.compactMap { row in
            guard let name = row.parent, self.row(key: name) == nil, let record = RecordID(text: name),
                let kind = Vocabulary.kind(row.kind)?.parent
            else { return nil }
            return (row.line, record, kind)
        }
    }

    private static func check(_ field: ImportRow.Field, of row: ImportRow, kind: KindDescription) throws {
        guard let description = kind.field(field.name) else {
            let known = kind.fields.map(\.name.string).joined(separator: ", ")
            throw ImportRow.refusal(
                row.line, "a \(kind.name) has no field “\(field.name.string.prefix(64))”; it has \(known)")
        }
        guard description.isSet == field.isList else {
            throw ImportRow.refusal(
                row.line,
                "field “\(field.name)” takes \(description.isSet ? "a list" : "one value, not a list")")
        }
        for content in field.contents {
            let value: Value
            do {
                value = try description.normalized(content.sample)
            } catch let error as ConcordError {
                throw ImportRow.refusal(row.line, error)
            }
            guard !value.isEmpty || !description.isSet else {
                throw ImportRow.refusal(row.line, "an element of “\(field.name)” cannot be empty")
            }
        }
    }

    private static func writes(_ field: FieldDescription, _ row: ImportRow) -> Bool {
        row.fields.contains { given in
            given.name == field.name && given.contents.contains { !$0.sample.isEmpty }
        }
    }

    private func checkParent(of row: ImportRow, kind: KindDescription) throws {
        guard let wanted = kind.parent else {
            guard row.parent == nil else {
                throw ImportRow.refusal(row.line, "a \(kind.name) stands under no other record")
            }
            return
        }
        guard let name = row.parent else {
            throw ImportRow.refusal(row.line, "a \(kind.name) needs a parent")
        }
        if let parent = self.row(key: name), parent.kind != wanted {
            throw ImportRow.refusal(
                row.line,
                "a \(kind.name) stands under a \(wanted), and line \(parent.line) is a "
                    + "\(parent.kind.string.prefix(64))")
        }
    }

    /// A record is created by one change, which has its limits. Texts that merge have their own, and as many changes as
    /// they need.
    private static func checkSize(of row: ImportRow, kind: KindDescription) throws {
        var operations = 1
        var bytes = 0
        for field in row.fields where kind.field(field.name)?.isText != true {
            operations += field.contents.count
            for content in field.contents {
                bytes += field.name.byteCount + content.sample.byteCount + LocalAPILimits.importValueOverhead
            }
        }
        guard operations <= Limits.changeOperations else {
            throw ImportRow.refusal(
                row.line, "it has \(operations - 1) values, \(Limits.changeOperations - 1) are allowed")
        }
        guard bytes <= LocalAPILimits.importRecordBytes else {
            throw ImportRow.refusal(
                row.line,
                "its values have \(bytes) bytes together, \(LocalAPILimits.importRecordBytes) are allowed")
        }
    }
}

extension ImportRow.Content {
    /// The value itself, or for a reference an id in place of the one that its record will get.
    fileprivate var sample: Value {
        switch self {
        case .value(let value): value
        case .reference: .text(UTF8Text(RecordID(Bytes16(high: 0, low: 0)).description))
        }
    }
}

extension Value {
    fileprivate var byteCount: Int {
        switch self {
        case .text(let text): text.byteCount
        case .integer: 9
        case .bytes(let bytes): bytes.count
        case .erased: 0
        }
    }
}
